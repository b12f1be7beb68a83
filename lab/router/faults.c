/* Reading settings of the medium: see faults.h. */
#include "faults.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PERCENT_PPM  (MUP_MEDIUM_PPM / 100u)
#define SLEEP_MS_MAX 60000u

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* A share such as 12.5% at *text; *text is moved behind it. */
static bool take_share(const char **text, uint32_t *ppm)
{
    const char *at = *text;
    uint32_t share = 0;
    uint32_t unit = PERCENT_PPM;

    if (!is_digit(*at))
        return false;
    for (; is_digit(*at) && share <= MUP_MEDIUM_PPM; at++)
        share = share * 10 + (uint32_t)(*at - '0') * PERCENT_PPM;
    if (*at == '.')
        for (at++; is_digit(*at) && unit > 1; at++) {
            unit /= 10;
            share += (uint32_t)(*at - '0') * unit;
        }
    if (*at != '%' || share > MUP_MEDIUM_PPM)
        return false;
    *text = at + 1;
    *ppm = share;
    return true;
}

static bool read_share(const char *text, uint32_t *ppm)
{
    uint32_t share;

    if (!take_share(&text, &share) || *text != '\0')
        return false;
    *ppm = share;
    return true;
}

static bool take_comma(const char **text)
{
    return *(*text)++ == ',';
}

static bool read_burst(const char *text, struct mup_medium_burst *out)
{
    struct mup_medium_burst burst = {0};

    if (strcmp(text, "off") != 0 && (!take_share(&text, &burst.to_bad_ppm) || !take_comma(&text) ||
                                     !take_share(&text, &burst.to_good_ppm) || !take_comma(&text) ||
                                     !take_share(&text, &burst.loss_ppm) || *text != '\0'))
        return false;
    *out = burst;
    return true;
}

/* Whole milliseconds, as microseconds. */
static bool take_ms(const char **text, uint32_t *us)
{
    uint32_t ms = 0;

    if (!is_digit(**text))
        return false;
    for (; is_digit(**text) && ms <= SLEEP_MS_MAX; (*text)++)
        ms = ms * 10 + (uint32_t)(**text - '0');
    if (ms > SLEEP_MS_MAX)
        return false;
    *us = ms * 1000;
    return true;
}

static bool read_sleep(const char *text, struct mup_medium_sleep *out)
{
    struct mup_medium_sleep sleep = {0};

    if (strcmp(text, "off") != 0 &&
        (!take_ms(&text, &sleep.period_us) || !take_comma(&text) ||
         !take_ms(&text, &sleep.awake_us) || !take_comma(&text) ||
         !take_ms(&text, &sleep.linger_us) || *text != '\0' || sleep.period_us == 0 ||
         sleep.awake_us == 0 || sleep.awake_us > sleep.period_us))
        return false;
    *out = sleep;
    return true;
}

static bool read_link(const char *text, bool *is_cut)
{
    if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
        return false;
    *is_cut = strcmp(text, "off") == 0;
    return true;
}

static bool read_number(const char *text, uint64_t *out)
{
    unsigned long long number;
    char *end;

    errno = 0;
    number = strtoull(text, &end, 10);
    if (!is_digit(*text) || *end != '\0' || errno != 0)
        return false;
    *out = number;
    return true;
}

static bool read_offers(const char *text, uint32_t *offers)
{
    uint64_t number;

    if (!read_number(text, &number) || number > MUP_FAULTS_OFFERS_MAX)
        return false;
    *offers = (uint32_t)number;
    return true;
}

void mup_faults_init(struct mup_faults *faults)
{
    *faults = (struct mup_faults){.medium.offers_max = MUP_FAULTS_OFFERS};
}

bool mup_faults_set(struct mup_faults *faults, const char *name, const char *value,
                    const char **why)
{
    const struct {
        const char *name;
        uint32_t *ppm;
    } shares[] = {{"loss", &faults->medium.frame_loss_ppm},
                  {"ack-loss", &faults->medium.ack_loss_ppm},
                  {"corrupt", &faults->medium.corrupt_ppm},
                  {"duplicate", &faults->medium.duplicate_ppm}};

    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++)
        if (strcmp(name, shares[i].name) == 0) {
            *why = "wants a share from 0% to 100%, such as 2.5%";
            return read_share(value, shares[i].ppm);
        }
    if (strcmp(name, "burst") == 0) {
        *why = "wants three shares, such as 12.5%,25%,90%, or off";
        return read_burst(value, &faults->medium.burst);
    }
    if (strcmp(name, "sleep") == 0) {
        *why =
            "wants milliseconds: period, on in each, on after a frame, such as 125,5,100, or off";
        return read_sleep(value, &faults->sleep);
    }
    if (strcmp(name, "link") == 0) {
        *why = "is on or off";
        return read_link(value, &faults->medium.is_cut);
    }
    if (strcmp(name, "offers") == 0) {
        *why = "wants a number from 0 to 15";
        return read_offers(value, &faults->medium.offers_max);
    }
    if (strcmp(name, "seed") == 0) {
        *why = "wants a number from 0 to 18446744073709551615";
        return read_number(value, &faults->medium.seed);
    }
    *why = "is none of loss, ack-loss, corrupt, duplicate, burst, sleep, link, offers, seed";
    return false;
}
