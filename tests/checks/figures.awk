# A page with its figures as they are now (tests/checks/figures). Those that are too far off are told
# on standard error, unless the page is being updated, and then this fails.

function load(file, lines,    line, part, count) {
    count = 0
    while ((getline line <file) > 0) {
        if (lines) shown[file, ++count] = line
        else {
            split(line, part, " ")
            value[part[1] " " part[2]] = part[3]
        }
    }
    shown[file, "count"] = count
}

function distance(a, b) {
    return a > b ? a - b : b - a
}

function is_near(said, is, key,    slack) {
    if (key ~ /promises/) return said == is
    slack = key ~ /lines/ ? 5 : 128
    if (is / 20 > slack) slack = is / 20
    return distance(said, is) <= slack
}

function complain(what) {
    if (update == "yes") return
    print page ":" (at_line > 0 ? at_line : NR) ": " what >"/dev/stderr"
    failed = 1
}

function commas(n,    text) {
    text = sprintf("%d", n)
    while (match(text, /[0-9][0-9][0-9][0-9](,|$)/)) text = substr(text, 1, RSTART) "," substr(text, RSTART + 1)
    return text
}

# "20.2 kB", "59,712", "310" and the like: in bytes, or whatever is counted.
function number_of(text) {
    gsub(/,/, "", text)
    return text ~ / kB$/ ? text * 1000 : text + 0
}

function written(text, n,    decimals) {
    if (text !~ / kB$/) return text ~ /,/ || n >= 1000 ? commas(n) : sprintf("%d", n)
    decimals = text ~ /\./ ? 1 : 0
    return sprintf("%." decimals "f kB", n / 1000)
}

# Numbers with a key behind them.
function figures(line,    done, text, key, found, half) {
    while (match(line, /[0-9][0-9,.]*( kB)?<!--[^>]*-->/)) {
        found = substr(line, RSTART, RLENGTH)
        done = done substr(line, 1, RSTART - 1)
        line = substr(line, RSTART + RLENGTH)
        text = substr(found, 1, index(found, "<") - 1)
        key = substr(found, index(found, "<!--") + 4)
        sub(/-->$/, "", key)
        if (!(key in value)) {
            complain("there is no figure " key)
            done = done found
            continue
        }
        half = text ~ / kB$/ ? (text ~ /\./ ? 50 : 500) : 0 # it is rounded
        if (distance(number_of(text), value[key]) > half && !is_near(number_of(text), value[key], key))
            complain(text " is " written(text, value[key]) " now (" key ")")
        done = done written(text, value[key]) "<!--" key "-->"
    }
    if (line ~ /<!--(cortex|port)-/) complain("a key without a number before it")
    return done line
}

# One line of a program's output against what it says now.
function compare(line, is,    said, now, i, count) {
    count = split(line, said, " ")
    if (split(is, now, " ") != count) {
        complain("the program's line is now: " is)
        return
    }
    for (i = 1; i <= count; i++)
        if (said[i] != now[i] && !(said[i] ~ /^[0-9]+$/ && now[i] ~ /^[0-9]+$/ && is_near(said[i], now[i], "")))
            complain(said[i] " is " now[i] " now, in: " is)
}

# The output ends where the page is no longer indented; blank lines count if more of it follows.
function output(file,    i, count, blank, said, after_end) {
    after_end = 1
    at_line = NR
    while ((getline) > 0) {
        if ($0 != "" && $0 !~ /^    /) {
            after_end = 0
            break
        }
        said[++count] = $0
    }
    for (blank = 0; count > 0 && said[count] == ""; count--) blank++
    if (count != shown[file, "count"])
        complain("the output before has " shown[file, "count"] " lines now, not " count)
    else
        for (i = 1; i <= count; i++) {
            at_line++
            compare(said[i], shown[file, i])
        }
    at_line = 0
    for (i = 1; i <= shown[file, "count"]; i++) print (shown[file, i] == "" ? "" : "    " shown[file, i])
    for (i = 1; i <= blank; i++) print ""
    if (!after_end) print figures($0)
}

BEGIN {
    load(values, 0)
    load(firmware, 1)
    load(footprint, 1)
}
$0 == "    $ ./dev firmware" { print; output(firmware); next }
$0 == "    $ ./dev bench footprint" { print; output(footprint); next }
{ print figures($0) }
END { exit failed }
