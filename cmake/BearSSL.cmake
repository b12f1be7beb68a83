# The target mup_bearssl: the few files of BearSSL that verify a P-256 signature.
