/*
 * Regular expressions of a description, before they become YANG patterns: is this one that libyang
 * compiles, and not a trap?
 *
 * The part of XML Schema's expressions (XML Schema part 2, appendix F; RFC 6020 section 9.4.6) that
 * means the same everywhere: texts, `.`, `|`, groups, classes without subtraction, `? * + {n,m}`,
 * the escapes of single characters, \d \D \s \S \w \W and \p{category}.
 *
 * One that tries endless ways, such as ((a|aa)*)*[bc], is not recognised: libyang's engine gives up
 * at its match limit, after about 0.1 s, and the call that brought the text is refused.
 */
#ifndef MUP_BRIDGE_PATTERN_H
#define MUP_BRIDGE_PATTERN_H

#define MUP_PATTERN_SIZE_MAX     512u  /* bytes */
#define MUP_PATTERN_REPEAT_MAX   255u  /* of n and m in {n,m} */
#define MUP_PATTERN_EXPANDED_MAX 1000u /* atoms, when every {n,m} is written out */
#define MUP_PATTERN_DEPTH_MAX    16u   /* groups within groups */

/* Why a pattern cannot be used, for a person; NULL when it can. The text is valid UTF-8. */
const char *mup_pattern_fault(const char *pattern);

#endif
