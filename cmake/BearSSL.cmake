# The target mup_bearssl: the few files of BearSSL that verify a P-256 signature and compute
# SHA-256, constant in time and without a heap. The 15-bit integers are those for a processor
# whose multiplier gives 32 bits, such as the Cortex-M0. On an emulated one, a verification takes
# 29.4 million instructions; BearSSL's assembly for it (BR_ARMEL_CORTEXM_GCC) saves 1.8 % of them,
# -O2 instead of -Os 2.9 % for 2 kB of flash, so neither is used.
include(FetchSource)
mup_fetch_source(bearssl bearssl 0.6+dfsg.1-3
    9bd17e07fc9824b0223dcb4ba14adac17981a4d8f1d63b6655819fe8f2ed98d1)

set(bearssl_files
    codec/ccopy.c codec/dec32be.c codec/enc32be.c
    ec/ec_p256_m15.c ec/ec_secp256r1.c
    ec/ecdsa_i15_bits.c ec/ecdsa_i15_vrfy_raw.c
    hash/sha2small.c
    int/i15_add.c int/i15_bitlen.c int/i15_decmod.c int/i15_decode.c int/i15_decred.c
    int/i15_encode.c int/i15_fmont.c int/i15_iszero.c int/i15_modpow.c int/i15_montmul.c
    int/i15_muladd.c int/i15_ninv15.c int/i15_rshift.c int/i15_sub.c int/i15_tmont.c)
list(TRANSFORM bearssl_files PREPEND ${bearssl}/src/)

add_library(mup_bearssl STATIC ${bearssl_files} ${CMAKE_SOURCE_DIR}/cmake/other_curves.c)
target_include_directories(mup_bearssl SYSTEM PUBLIC ${bearssl}/inc)
target_include_directories(mup_bearssl PRIVATE ${bearssl}/src)
target_compile_options(mup_bearssl PRIVATE -w -ffunction-sections -fdata-sections)
if(MUP_SANITIZE)
    # Its arithmetic relies on shifts that the undefined-behaviour sanitizer would report.
    target_compile_options(mup_bearssl PRIVATE -fno-sanitize=undefined)
endif()
