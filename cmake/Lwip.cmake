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
    core/ipv6/icmp6.c core/ipv6/ip6.c core/ipv6/ip6_addr.c core/ipv6/nd6.c
    netif/lowpan6.c netif/lowpan6_common.c)
list(TRANSFORM lwip_files PREPEND ${lwip}/src/)

function(mup_lwip_library name options)
    add_library(${name} STATIC ${lwip_files} ${CMAKE_SOURCE_DIR}/cmake/lwip_cleared.c
        ${CMAKE_SOURCE_DIR}/cmake/lwip_decompress.c)
    set_source_files_properties(${lwip}/src/core/ipv6/nd6.c PROPERTIES
        COMPILE_DEFINITIONS pbuf_alloc=mup_lwip_alloc_cleared)
    set_source_files_properties(${lwip}/src/netif/lowpan6.c PROPERTIES
        COMPILE_DEFINITIONS lowpan6_decompress=mup_lwip_decompress)
    target_include_directories(${name} SYSTEM PUBLIC ${options} ${lwip}/src/include)
    target_compile_options(${name} PRIVATE -w -ffunction-sections -fdata-sections)
endfunction()
