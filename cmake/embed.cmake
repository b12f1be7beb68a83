# Makes the C source of the files that mup-server hands out (edge/server/web/page.h):
#
#   cmake -D OUT=page_files.c -D FILES="PATH=FILE;..." -P embed.cmake
#
# Each as it is, and packed by gzip for who takes that. PATH is where it is asked for, FILE where it
# lies. A file whose kind is not known stops the build.

set(type_html "text/html; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_mjs "text/javascript; charset=utf-8")
set(type_svg "image/svg+xml")
set(type_png "image/png")
set(type_ico "image/x-icon")
set(type_json "application/json")
set(type_webmanifest "application/manifest+json")

# The bytes of a file as C writes them, and how many they are.
function(read_bytes file out_bytes out_size)
    file(READ "${file}" bytes HEX)
    string(LENGTH "${bytes}" size)
    math(EXPR size "${size} / 2")
    string(REGEX REPLACE "(................................)" "\\1\n    " bytes "${bytes}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    set(${out_bytes} "${bytes}" PARENT_SCOPE)
    set(${out_size} ${size} PARENT_SCOPE)
endfunction()

set(source "/* Made by cmake/embed.cmake. */\n#include \"server/web/page.h\"\n")
set(table "")
set(number 0)
foreach(entry IN LISTS FILES)
    string(REGEX MATCH "^([^=]+)=(.+)$" matched "${entry}")
    set(path "${CMAKE_MATCH_1}")
    set(file "${CMAKE_MATCH_2}")
    string(REGEX MATCH "[^.]+$" kind "${file}")
    if(NOT DEFINED type_${kind})
        message(FATAL_ERROR "${file}: cmake/embed.cmake does not know the type of .${kind}")
    endif()
    file(SHA256 "${file}" digest)
    string(SUBSTRING "${digest}" 0 32 digest)
    execute_process(COMMAND gzip -9 -n -c ${file} OUTPUT_FILE "${OUT}.gz" COMMAND_ERROR_IS_FATAL ANY)
    read_bytes("${file}" bytes size)
    read_bytes("${OUT}.gz" packed packed_size)
    string(APPEND source "\nstatic const unsigned char file_${number}[] = {\n    ${bytes}\n    0};\n"
        "static const unsigned char packed_${number}[] = {\n    ${packed}\n    0};\n")
    string(APPEND table "    {\"${path}\", \"${type_${kind}}\", \"\\\"${digest}\\\"\", file_${number}, ${size},\n"
        "     \"\\\"${digest}-gzip\\\"\", packed_${number}, ${packed_size}},\n")
    math(EXPR number "${number} + 1")
endforeach()
string(APPEND source "\nconst struct mup_page_file mup_page_files[] = {\n${table}    {0}};\n")
file(WRITE "${OUT}.new" "${source}")
file(COPY_FILE "${OUT}.new" "${OUT}" ONLY_IF_DIFFERENT)
