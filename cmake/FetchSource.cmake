# mup_fetch_source(out package version sha256-of-dsc)
#
# Sets `out` to the folder that holds the unpacked source of a Debian package. All presets share
# one cache, so configuring the second one needs no network; see cmake/fetch-source.sh.
set(MUP_SOURCE_CACHE ${CMAKE_SOURCE_DIR}/build/.sources CACHE PATH "Sources fetched from Debian")

function(mup_fetch_source out package version dsc_sha256)
    set(folder ${MUP_SOURCE_CACHE}/${package}-${version})
    if(NOT EXISTS ${folder})
        execute_process(
            COMMAND ${CMAKE_SOURCE_DIR}/cmake/fetch-source.sh
                ${package} ${version} ${dsc_sha256} ${MUP_SOURCE_CACHE}
            RESULT_VARIABLE failed)
        if(failed)
            message(FATAL_ERROR "the source of ${package} ${version} is not there (see above)")
        endif()
    endif()
    set(${out} ${folder} PARENT_SCOPE)
endfunction()
