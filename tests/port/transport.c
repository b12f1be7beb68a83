/*
 * The promises of transport.h, against a peer that sends back what it gets and closes after
 * PORT_SUITE_HANG_UP.
 */
#include <string.h>

#include "suite_internal.h"

#define PIECE  96u
#define LARGE  512u /* more than a port may have room for at a time */
#define ROUNDS 12u  /* more streams than a small device can hold */
#define GUARD  0xa5u

static int open(const struct port_suite *suite)
{
    return suite->transport->open(suite->transport->context);
}

static int send(const struct port_suite *suite, const uint8_t *bytes, size_t size)
{
    return suite->transport->send(suite->transport->context, bytes, size);
}

static int receive(const struct port_suite *suite, uint8_t *out, size_t size)
{
    return suite->transport->receive(suite->transport->context, out, size);
}

static void close(const struct port_suite *suite)
{
    suite->transport->close(suite->transport->context);
}

/* The byte at a place in a stream: any but PORT_SUITE_HANG_UP. */
static uint8_t pattern(uint32_t at)
{
    uint8_t byte = (uint8_t)(at * 7 + at / 256);

    return byte == PORT_SUITE_HANG_UP ? 0xfe : byte;
}

/* Open until it is decided, or patience ends. */
static int open_at_last(const struct port_suite *suite, const struct mup_port_transport *transport)
{
    int answer = 0;

    for (uint32_t waits = 0; answer == 0 && waits < suite->patience; waits++) {
        answer = transport->open(transport->context);
        if (answer == 0)
            port_suite_idle(suite);
    }
    return answer;
}

static int receive_at_last(const struct port_suite *suite, uint8_t *out, size_t size)
{
    int answer = 0;

    for (uint32_t waits = 0; answer == 0 && waits < suite->patience; waits++) {
        answer = receive(suite, out, size);
        if (answer == 0)
            port_suite_idle(suite);
    }
    return answer;
}

/* Offer [*sent, *sent + size) of the pattern once; the memory is wiped behind the call. Returns
 * what send() says, or negative if it claims more than it was given. */
static int offer(const struct port_suite *suite, uint32_t *sent, uint32_t size)
{
    uint8_t bytes[LARGE];
    int answer;

    for (uint32_t i = 0; i < size; i++)
        bytes[i] = pattern(*sent + i);
    answer = send(suite, bytes, size);
    memset(bytes, GUARD, sizeof bytes);
    if (answer > (int)size)
        return -1;
    if (answer > 0)
        *sent += (uint32_t)answer;
    return answer;
}

/* Take up to size bytes of the echo. False when they are wrong, too many, or never come. */
static bool take(const struct port_suite *suite, uint32_t *taken, uint32_t size)
{
    uint8_t bytes[PIECE + 1];
    int answer;

    memset(bytes, GUARD, sizeof bytes);
    answer = receive_at_last(suite, bytes, size);
    if (answer <= 0 || (uint32_t)answer > size)
        return false;
    for (uint32_t i = 0; i < (uint32_t)answer; i++)
        if (bytes[i] != pattern(*taken + i))
            return false;
    for (size_t i = (size_t)answer; i < sizeof bytes; i++)
        if (bytes[i] != GUARD)
            return false;
    *taken += (uint32_t)answer;
    return true;
}

static bool take_until(const struct port_suite *suite, uint32_t *taken, uint32_t end)
{
    while (*taken < end)
        if (!take(suite, taken, PIECE))
            return false;
    return true;
}

/* One byte is asked for; a port that gives two must not hit anything. */
static bool has_nothing(const struct port_suite *suite)
{
    uint8_t bytes[PIECE] = {GUARD, GUARD};

    return receive(suite, bytes, 1) == 0 && bytes[0] == GUARD && bytes[1] == GUARD;
}

/* ---- the promises ---------------------------------------------------------------------------- */

static enum port_suite_result opens(struct port_suite *suite)
{
    WANT(open_at_last(suite, suite->transport) > 0);
    return PORT_SUITE_KEPT;
}

static enum port_suite_result opens_what_is_open(struct port_suite *suite)
{
    WANT(open_at_last(suite, suite->transport) > 0);
    WANT(open(suite) == 1);
    WANT(open(suite) == 1);
    return PORT_SUITE_KEPT;
}

static enum port_suite_result has_nothing_yet(struct port_suite *suite)
{
    WANT(open_at_last(suite, suite->transport) > 0);
    for (uint32_t i = 0; i < 10; i++) {
        WANT(has_nothing(suite));
        port_suite_idle(suite);
    }
    return PORT_SUITE_KEPT;
}

static enum port_suite_result carries_bytes(struct port_suite *suite)
{
    uint32_t sent = 0;
    uint32_t taken = 0;

    WANT(open_at_last(suite, suite->transport) > 0);
    for (uint32_t size = 1; size <= PIECE; size++) {
        uint32_t end = sent + size;

        for (uint32_t waits = 0; sent < end && waits < suite->patience; waits++) {
            int answer = offer(suite, &sent, end - sent);

            WANT(answer >= 0);
            if (answer == 0)
                port_suite_idle(suite);
        }
        WANT(sent == end);
        while (taken < end)
            WANT(take(suite, &taken, 1 + taken % PIECE));
    }
    return PORT_SUITE_KEPT;
}

/* Offer until nothing has been taken for a while: the echo piles up where it is not taken, too. */
static bool fill_all(const struct port_suite *suite, uint32_t *sent)
{
    uint32_t waits = 0;

    while (waits++ < suite->patience / 100) {
        bool more = *sent < suite->flood_size_max && waits % 64 == 1;
        int answer = more ? offer(suite, sent, LARGE) : 0;

        if (answer < 0)
            return false;
        if (answer > 0)
            waits = 0;
        port_suite_idle(suite);
    }
    return true;
}

/* The peer takes nothing more while its echo is not taken, so every buffer on the way fills: first
 * the nearest, which says 0, then all. */
static enum port_suite_result answers_nothing_when_full(struct port_suite *suite)
{
    uint32_t sent = 0;
    uint32_t taken = 0;
    int answer = 1;

    if (suite->flood_size_max == 0)
        return PORT_SUITE_UNTRIED;
    WANT(open_at_last(suite, suite->transport) > 0);
    while (sent < suite->flood_size_max && answer > 0)
        answer = offer(suite, &sent, LARGE);
    WANT(answer == 0);
    WANT(fill_all(suite, &sent));
    WANT(take_until(suite, &taken, sent));
    WANT(has_nothing(suite));
    return PORT_SUITE_KEPT;
}

static enum port_suite_result says_that_the_peer_closed(struct port_suite *suite)
{
    const uint8_t last_words[] = {'b', 'y', 'e', PORT_SUITE_HANG_UP};
    uint8_t bytes[PIECE]; /* more than is asked for, as above */
    size_t done = 0;

    WANT(open_at_last(suite, suite->transport) > 0);
    for (uint32_t waits = 0; done < sizeof last_words && waits < suite->patience; waits++) {
        int answer = send(suite, last_words + done, sizeof last_words - done);

        WANT(answer >= 0);
        done += (size_t)answer;
        if (answer == 0)
            port_suite_idle(suite);
    }
    for (done = 0; done < sizeof last_words;) {
        int answer = receive_at_last(suite, bytes + done, sizeof last_words - done);

        WANT(answer > 0); /* what came before the end is not lost */
        done += (size_t)answer;
    }
    WANT(memcmp(bytes, last_words, sizeof last_words) == 0);
    WANT(receive_at_last(suite, bytes, sizeof last_words) < 0);
    WANT(receive_at_last(suite, bytes, sizeof last_words) < 0); /* and stays so */
    return PORT_SUITE_KEPT;
}

static enum port_suite_result opens_another(struct port_suite *suite)
{
    uint32_t sent = 0;
    uint32_t taken = 0;

    close(suite); /* the one that is gone */
    WANT(open_at_last(suite, suite->transport) > 0);
    WANT(offer(suite, &sent, PIECE) >= 0);
    close(suite); /* with bytes under way */
    close(suite);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        sent = taken = 0;
        WANT(open_at_last(suite, suite->transport) > 0);
        for (uint32_t waits = 0; sent < 2 && waits < suite->patience; waits++) {
            WANT(offer(suite, &sent, PIECE) >= 0);
            port_suite_idle(suite);
        }
        WANT(take(suite, &taken, 1));
        close(suite); /* with bytes that were not taken */
    }
    WANT(open(suite) >= 0);
    close(suite); /* perhaps before it is open */
    WANT(open_at_last(suite, suite->transport) > 0);
    WANT(has_nothing(suite));
    sent = taken = 7; /* bytes of the stream before would not be these */
    for (uint32_t waits = 0; sent == 7 && waits < suite->patience; waits++) {
        WANT(offer(suite, &sent, PIECE) >= 0);
        port_suite_idle(suite);
    }
    WANT(take_until(suite, &taken, sent));
    close(suite);
    return PORT_SUITE_KEPT;
}

static enum port_suite_result says_that_nobody_is_there(struct port_suite *suite)
{
    const struct mup_port_transport *alone = suite->transport_alone;

    if (alone == NULL)
        return PORT_SUITE_UNTRIED;
    WANT(open_at_last(suite, alone) < 0);
    alone->close(alone->context);
    WANT(open_at_last(suite, alone) < 0);
    alone->close(alone->context);
    alone->close(alone->context);
    return PORT_SUITE_KEPT;
}

const struct port_suite_promise port_suite_transport[] = {
    {"opening ends connected", opens},
    {"opening an open stream says 1", opens_what_is_open},
    {"receiving says 0 while there is nothing", has_nothing_yet},
    {"bytes arrive in order, once, whatever becomes of the caller's memory", carries_bytes},
    {"sending says 0 when there is no room, and nothing is lost", answers_nothing_when_full},
    {"a stream that the peer closed is negative, after its last byte", says_that_the_peer_closed},
    {"closing, also twice, makes room for a new stream without old bytes", opens_another},
    {"opening to nobody ends negative", says_that_nobody_is_there},
    {NULL, NULL},
};
