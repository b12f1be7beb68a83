/*
 * BearSSL's check of a signature names the curves P-384 and P-521, too, which it never comes to
 * with a key of P-256. Empty ones in their place save 400 bytes of flash.
 */
#include <inner.h>

const br_ec_curve_def br_secp384r1;
const br_ec_curve_def br_secp521r1;
