/* What mup broker writes. */
#ifndef MUP_CLI_BROKER_H
#define MUP_CLI_BROKER_H

extern const char mup_broker_acl[]; /* packaging/mosquitto/mup.acl */

#endif
