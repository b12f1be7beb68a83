/* The table of symbols of units.h. Names and symbols are those of OM 2.0. */
#include "bridge/description/units.h"

#include <stdlib.h>
#include <string.h>

#include "bridge/description/vocabulary.h"

/* Sorted by name (strcmp), for bsearch(). */
static const struct unit {
    const char *name, *symbol;
} units[] = {
    {"ampere", "A"},
    {"bar", "bar"},
    {"becquerel", "Bq"},
    {"bit", "bit"},
    {"byte", "B"},
    {"candela", "cd"},
    {"centimetre", "cm"},
    {"coulomb", "C"},
    {"cubicMetre", "m\xc2\xb3"},
    {"cubicMetrePerHour", "m\xc2\xb3/h"},
    {"day", "d"},
    {"decibel", "dB"},
    {"degree", "\xc2\xb0"},
    {"degreeCelsius", "\xc2\xb0"
                      "C"},
    {"degreeFahrenheit", "\xc2\xb0"
                         "F"},
    {"farad", "F"},
    {"gram", "g"},
    {"gramPerCubicmetre", "g/m\xc2\xb3"},
    {"gray", "Gy"},
    {"hectopascal", "hPa"},
    {"henry", "H"},
    {"hertz", "Hz"},
    {"hour", "h"},
    {"joule", "J"},
    {"kelvin", "K"},
    {"kilobyte", "kB"},
    {"kilogram", "kg"},
    {"kilohertz", "kHz"},
    {"kilojoule", "kJ"},
    {"kilometre", "km"},
    {"kilometrePerHour", "km/h"},
    {"kiloohm", "k\xce\xa9"},
    {"kilopascal", "kPa"},
    {"kilowatt", "kW"},
    {"kilowattHour", "kW h"},
    {"litre", "l"},
    {"litrePerHour", "l/h"},
    {"lumen", "lm"},
    {"lux", "lx"},
    {"megahertz", "MHz"},
    {"metre", "m"},
    {"metrePerSecond-Time", "m/s"},
    {"metrePerSecond-TimeSquared", "m/s\xc2\xb2"},
    {"microampere", "\xc2\xb5"
                    "A"},
    {"microgram", "\xc2\xb5g"},
    {"microgramPerCubicmetre", "\xc2\xb5g/m\xc2\xb3"},
    {"micrometre", "\xc2\xb5m"},
    {"microsecond-Time", "\xc2\xb5s"},
    {"milliampere", "mA"},
    {"milligram", "mg"},
    {"milligramPerCubicmetre", "mg/m\xc2\xb3"},
    {"millilitre", "ml"},
    {"millimetre", "mm"},
    {"millisecond-Time", "ms"},
    {"millivolt", "mV"},
    {"minute-Time", "min"},
    {"mole", "mol"},
    {"newton", "N"},
    {"newtonMetre", "N m"},
    {"ohm", "\xce\xa9"},
    {"partsPerBillion", "ppb"},
    {"partsPerMillion", "ppm"},
    {"pascal", "Pa"},
    {"percent", "%"},
    {"radian", "rad"},
    {"reciprocalCentimetre", "cm\xe2\x81\xbb\xc2\xb9"},
    {"revolutionPerMinute", "rpm"},
    {"second-Time", "s"},
    {"siemens", "S"},
    {"sievert", "Sv"},
    {"squareMetre", "m\xc2\xb2"},
    {"tesla", "T"},
    {"volt", "V"},
    {"watt", "W"},
    {"wattHour", "W h"},
    {"wattPerSquareMetre", "W/m\xc2\xb2"},
};

static int compare(const void *name, const void *unit)
{
    return strcmp(name, ((const struct unit *)unit)->name);
}

const char *mup_unit_symbol(const char *iri)
{
    size_t size = strlen(MUP_NS_UNITS);
    if (strncmp(iri, MUP_NS_UNITS, size) != 0)
        return "";
    const struct unit *found =
        bsearch(iri + size, units, sizeof units / sizeof units[0], sizeof units[0], compare);
    return found ? found->symbol : "";
}
