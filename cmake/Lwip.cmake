# mup_lwip_library(name options-folder)
#
# lwIP with IPv6, TCP and 6LoWPAN as a static library of that name, configured by the lwipopts.h and
# arch/cc.h in the options folder. The source is Debian's, pinned (FetchSource.cmake).
include(FetchSource)
mup_fetch_source(lwip lwip 2.1.3+dfsg1-2
    8d8f944db8e6d542fc2d6f01559078fb1b5dda71651c67ee5fa3571ed1342c50)

set(lwip_files
    core/def.c core/inet_chksum.c core/init.c core/ip.c core/mem.c core/memp.c core/netif.c
    core/pbuf.c core/tcp.c core/tcp_in.c core/tcp_out.c core/timeouts.c
    core/ipv6/icmp6.c core/ipv6/ip6.c core/ipv6/ip6_addr.c core/ipv6/nd6.c)
list(TRANSFORM lwip_files PREPEND ${lwip}/src/)

# Three mistakes of its 6LoWPAN are mended in a copy. Anybody in reach of the radio can make use of
# the first two (fuzz/fuzz_radio.c has them in its corpus).
macro(mup_lwip_mend from to)
    string(FIND "${lwip_text}" "${from}" found)
    if(found EQUAL -1)
        message(FATAL_ERROR "lwIP's 6LoWPAN is another one: cmake/Lwip.cmake mends what is not there")
    endif()
    string(REPLACE "${from}" "${to}" lwip_text "${lwip_text}")
endmacro()

# lwIP keeps 40 bytes free before a header that is being decompressed, which is IPv6's own: then each
# buffer of the pool would have to be 40 bytes larger.
file(READ ${lwip}/src/netif/lowpan6_common.c lwip_text)
mup_lwip_mend("pbuf_alloc(PBUF_IP, p->len + IP6_HLEN + UDP_HLEN_ALLOC" "pbuf_alloc(PBUF_RAW, p->len + IP6_HLEN + UDP_HLEN_ALLOC")
set(lwip_mended_common ${CMAKE_BINARY_DIR}/lwip/lowpan6_common.c)
file(WRITE ${lwip_mended_common}.new "${lwip_text}")
file(COPY_FILE ${lwip_mended_common}.new ${lwip_mended_common} ONLY_IF_DIFFERENT)

file(READ ${lwip}/src/netif/lowpan6.c lwip_text)
# A first fragment that cannot be decompressed is given back by lowpan6_decompress() already: given
# back again, its buffer would be on the free list twice.
mup_lwip_mend("mem_free(lrh);\n        goto lowpan6_input_discard;" "mem_free(lrh);\n        return ERR_OK;")
# A fragment that comes before all that are there must not make them forgotten, or their buffers are
# lost for good.
mup_lwip_mend("  p->next = q;\n      }\n" "}\n      p->next = q;\n")
# A sender with a 16-bit address is looked for where the receiver's kind of address stands, so that
# its frames were never taken.
mup_lwip_mend("addr_mode == IEEE_802154_FC_DST_ADDR_MODE_SHORT) {
    /* short address (16 bit) */
    src->addr_len" "addr_mode == IEEE_802154_FC_SRC_ADDR_MODE_SHORT) {
    src->addr_len")
set(lwip_mended ${CMAKE_BINARY_DIR}/lwip/lowpan6.c)
file(WRITE ${lwip_mended}.new "${lwip_text}")
file(COPY_FILE ${lwip_mended}.new ${lwip_mended} ONLY_IF_DIFFERENT)

function(mup_lwip_library name options)
    add_library(${name} STATIC ${lwip_files} ${lwip_mended} ${lwip_mended_common} ${CMAKE_SOURCE_DIR}/cmake/lwip_cleared.c)
    set_source_files_properties(${lwip}/src/core/ipv6/nd6.c PROPERTIES
        COMPILE_DEFINITIONS pbuf_alloc=mup_lwip_alloc_cleared)
    target_include_directories(${name} SYSTEM PUBLIC ${options} ${lwip}/src/include)
    target_compile_options(${name} PRIVATE -w -ffunction-sections -fdata-sections)
    if(MUP_SANITIZE)
        # It shifts into the sign, and reads words wherever they lie.
        target_compile_options(${name} PRIVATE -fno-sanitize=shift,alignment)
    endif()
endfunction()
