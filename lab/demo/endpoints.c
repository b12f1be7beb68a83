/* What --keep leaves running, and how to reach it. */
#include <stdio.h>
#include <unistd.h>

#include "demo.h"
#include "json.h"

json_t *mup_demo_endpoints(const struct mup_demo *demo)
{
    const struct mup_testbed *bed = &demo->bed;
    char broker[32];
    char ssh[2 * MUP_TESTBED_PATH_MAX];
    char stop[32];

    snprintf(broker, sizeof broker, "127.0.0.1:%d", bed->broker_port);
    snprintf(ssh, sizeof ssh,
             "ssh -p %d -i %s -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -s "
             "127.0.0.1 netconf",
             bed->ssh_port, mup_testbed_path(bed, "operator_key"));
    snprintf(stop, sizeof stop, "kill %ld", (long)getpid());
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "rest", demo->rest_url,
                     "token_file", demo->token_file, "broker", broker, "broker_user",
                     "eavesdropper", "broker_password", mup_testbed_password(bed, "eavesdropper"),
                     "netconf", ssh, "release", mup_demo_release_url(demo, mup_demo_next(demo)),
                     "folder", bed->folder, "stop", stop);
}

void mup_demo_tell_endpoints(const struct mup_demo *demo, FILE *out)
{
    json_t *endpoints = mup_demo_endpoints(demo);

    fprintf(out,
            "\nThe edge is left running:\n"
            "  REST      %s, token in %s\n"
            "            ./dev mup devices --server %s --token-file %s\n"
            "            ./dev mup deploy --server %s --token-file %s %s %s\n"
            "  broker    %s, user %s, password %s\n"
            "            mosquitto_sub -h 127.0.0.1 -p %d -u %s -P %s -t '#' -v\n"
            "  NETCONF   %s\n"
            "  files     %s%s\n"
            "  stop it   %s\n",
            demo->rest_url, demo->token_file, demo->rest_url, demo->token_file, demo->rest_url,
            demo->token_file, demo->device.uuid, mup_json_text(endpoints, "release", ""),
            mup_json_text(endpoints, "broker", ""), mup_json_text(endpoints, "broker_user", ""),
            mup_json_text(endpoints, "broker_password", ""), demo->bed.broker_port,
            mup_json_text(endpoints, "broker_user", ""),
            mup_json_text(endpoints, "broker_password", ""),
            mup_json_text(endpoints, "netconf", ""), demo->bed.folder,
            demo->radio.frames != 0 ? "; radio.pcap is what was on the air (Wireshark)" : "",
            mup_json_text(endpoints, "stop", ""));
    json_decref(endpoints);
}
