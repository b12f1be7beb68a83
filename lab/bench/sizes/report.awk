# From numbers to what a person, a program or a test reads. Input: CPU KEY NUMBER; in variables the
# files of the pieces (CPU PROGRAM KIND MODULE BYTES NAME), modules and budgets, and the form: text,
# json, values, or check, which fails when a budget is broken.

function load(    line, part) {
    while ((getline line <modules) > 0)
        if (line ~ /^[a-z]/) {
            split(line, part, /[ \t]+/)
            module[++module_count] = part[1]
        }
    while ((getline line <pieces) > 0) {
        split(line, part, " ")
        bytes[part[1], part[2], part[3], part[4]] += part[5]
        bytes[part[1], part[2], part[3], "sum"] += part[5]
        if (part[3] != "text") bytes[part[1], part[2], "ram", part[4]] += part[5]
        if (part[2] == "app" && part[3] != "text") variable[part[1], part[6]] += part[5]
        if (part[3] == "text") # they come sorted by size
            largest[part[1], part[2], part[4], ++seen[part[1], part[2], part[4]]] = part[5] " " part[6]
    }
    while ((getline line <budgets) > 0)
        if (line ~ /^[a-z]/) {
            split(line, part, /[ \t]+/)
            budget_cpu[++budget_count] = part[1]
            budget_of[budget_count] = part[2]
            budget[budget_count] = part[3]
        }
}

# What a budget is about: a key, or modules that are added up. -1: not measured this time.
function measured(cpu, what,    part, count, i, sum) {
    if ((cpu, what) in number) return number[cpu, what]
    count = split(what, part, "+")
    for (i = 1; i <= count; i++) {
        if (!is_module(part[i])) return -1
        sum += bytes[cpu, "app", "text", part[i]]
    }
    return sum
}

function is_module(name,    i) {
    for (i = 1; i <= module_count; i++)
        if (module[i] == name) return 1
    return 0
}

function module_row(kind, cpu, program,    i, text) {
    for (i = 1; i <= module_count; i++)
        text = text sprintf("%s\"%s\": %d", i > 1 ? ", " : "", module[i], bytes[cpu, program, kind, module[i]])
    return "{" text "}"
}

function json(    c, i, cpu, text) {
    printf "{\"compiler\": \"%s\"", compiler
    for (c = 1; c <= cpu_count; c++) {
        cpu = cpus[c]
        printf ", \"%s\": {", cpu
        for (i = 1; i <= key_count; i++)
            if ((cpu, keys[i]) in number) printf "\"%s\": %d, ", keys[i], number[cpu, keys[i]]
        printf "\"text\": %s, ", module_row("text", cpu, "app")
        printf "\"boot_text\": %s, ", module_row("text", cpu, "boot")
        printf "\"variables\": %s}", module_row("ram", cpu, "app")
    }
    printf ", \"budgets\": ["
    for (i = 1; i <= budget_count; i++)
        if (measured(budget_cpu[i], budget_of[i]) >= 0)
            text = text sprintf("%s{\"cpu\": \"%s\", \"of\": \"%s\", \"bytes\": %d, \"limit\": %d}",
                text == "" ? "" : ", ", budget_cpu[i], budget_of[i],
                measured(budget_cpu[i], budget_of[i]), budget[i])
    print text "]}"
}

function values(    c, i, cpu) {
    print "- compiler " compiler
    for (c = 1; c <= cpu_count; c++) {
        cpu = cpus[c]
        for (i = 1; i <= key_count; i++)
            if ((cpu, keys[i]) in number) print cpu, keys[i], number[cpu, keys[i]]
        for (i = 1; i <= module_count; i++) {
            print cpu, "text." module[i], bytes[cpu, "app", "text", module[i]] + 0
            print cpu, "boot_text." module[i], bytes[cpu, "boot", "text", module[i]] + 0
        }
        print cpu, "text.sum", bytes[cpu, "app", "text", "sum"] + 0
        print cpu, "boot_text.sum", bytes[cpu, "boot", "text", "sum"] + 0
        print cpu, "core", measured(cpu, core)
    }
    for (i = 1; i <= budget_count; i++) print budget_cpu[i], "budget." budget_of[i], budget[i]
    for (c in variable) {
        split(c, cpu_and_name, SUBSEP)
        print cpu_and_name[1], "variable." cpu_and_name[2], variable[c]
    }
}

function line(label, key,    c, text, any) {
    for (c = 1; c <= cpu_count; c++) {
        text = text sprintf("%15s", (cpus[c], key) in number ? number[cpus[c], key] : "-")
        any = any || (cpus[c], key) in number
    }
    if (any) printf "%-34s%s\n", label, text
}

function table(    c, i, head, text) {
    for (c = 1; c <= cpu_count; c++) head = head sprintf("%15s", cpus[c])
    printf "%s\n%-34s%s\n", compiler, "bytes", head
    line("flash: application", "app_flash")
    line("flash: bootloader", "boot_flash")
    line("RAM: variables", "static_ram")
    line("RAM: main stack, reserved", "main_stack_reserved")
    line("RAM: main stack, deepest", "main_stack_peak")
    line("RAM: signature's stack, reserved", "task_stack_reserved")
    line("RAM: signature's stack, deepest", "task_stack_peak")
    line("RAM: stack, bound from call graph", "stack_bound")
    line("RAM: all of it", "ram_total")
    line("RAM: of that never touched", "ram_never_touched")
    line("RAM: bootloader's variables", "boot_static_ram")
    line("RAM: bootloader's stack, deepest", "boot_stack_peak")
    head = ""
    for (c = 1; c <= cpu_count; c++) head = head sprintf("%10s%10s", "app", "boot")
    printf "\n%-24s%s\n", "code and constants", head
    for (i = 1; i <= module_count + 2; i++) {
        text = ""
        for (c = 1; c <= cpu_count; c++)
            text = text (i == module_count + 2 \
                ? sprintf("%10d%10s", measured(cpus[c], core), "") \
                : sprintf("%10d%10d", bytes[cpus[c], "app", "text", i > module_count ? "sum" : module[i]],
                    bytes[cpus[c], "boot", "text", i > module_count ? "sum" : module[i]]))
        sub(/ +$/, "", text)
        printf "%-24s%s\n", i <= module_count ? module[i] : i == module_count + 1 ? "all" : "agent+...+boot", text
    }
}

# The five largest pieces of the modules that a budget is about; of all for flash.
function explain(cpu, what,    program, part, count, i, m, best, most, used, found, text) {
    if (what ~ /ram|stack/) return
    program = what ~ /^boot_/ ? "boot" : "app"
    count = split(what, part, "+")
    if (!is_module(part[1]))
        for (count = 0; count < module_count; count++) part[count + 1] = module[count + 1]
    print "    the largest pieces:"
    for (i = 1; i <= 5; i++) {
        best = most = 0
        for (m = 1; m <= count; m++) {
            if (!((cpu, program, part[m], used[m] + 1) in largest)) continue
            split(largest[cpu, program, part[m], used[m] + 1], found, " ")
            if (found[1] + 0 <= most) continue
            most = found[1] + 0
            best = m
            text = sprintf("%6d %s (%s)", most, found[2], part[m])
        }
        if (best == 0) return
        used[best]++
        print "    " text
    }
}

function check(    i, is, broken) {
    for (i = 1; i <= budget_count; i++) {
        is = measured(budget_cpu[i], budget_of[i])
        if (is < 0) {
            printf "%s: there is no %s to hold to a budget\n", budget_cpu[i], budget_of[i]
            broken = 1
        }
        if (is <= budget[i]) continue
        printf "%s: %s is %d bytes, %d over its budget of %d\n", budget_cpu[i], budget_of[i], is,
            is - budget[i], budget[i]
        explain(budget_cpu[i], budget_of[i])
        broken = 1
    }
    exit broken
}

BEGIN {
    core = "agent+protocol+flash+boot"
    load()
}
{
    if (!($1 in cpu_seen)) cpus[++cpu_count] = $1
    cpu_seen[$1] = 1
    if (!($2 in known)) keys[++key_count] = $2
    known[$2] = 1
    number[$1, $2] = $3
}
END {
    if (form == "json") json()
    else if (form == "values") values()
    else if (form == "check") check()
    else table()
}
