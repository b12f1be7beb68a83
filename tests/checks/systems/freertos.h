/* The calls of FreeRTOS and FreeRTOS-Plus-TCP that docs/PORTING-OS.md uses, as they are documented.
 */
#include <stdbool.h>

#define portTICK_PERIOD_MS           ((TickType_t)1)
#define pdTRUE                       ((BaseType_t)1)
#define pdFREERTOS_ERRNO_EWOULDBLOCK 11
#define pdFREERTOS_ERRNO_EINPROGRESS 115
#define pdFREERTOS_ERRNO_ENOSPC      28

typedef long BaseType_t;
typedef uint32_t TickType_t;
typedef uint32_t socklen_t;
typedef struct xSOCKET *Socket_t;
struct freertos_sockaddr {
    uint16_t sin_port;
};
struct link { /* yours */
    Socket_t socket;
    struct freertos_sockaddr broker;
    bool is_open;
    bool is_opening;
};

TickType_t xTaskGetTickCount(void);
BaseType_t FreeRTOS_issocketconnected(const Socket_t xSocket);
BaseType_t FreeRTOS_connect(Socket_t xClientSocket, const struct freertos_sockaddr *pxAddress,
                            socklen_t xAddressLength);
BaseType_t FreeRTOS_send(Socket_t xSocket, const void *pvBuffer, size_t uxDataLength,
                         BaseType_t xFlags);
BaseType_t FreeRTOS_recv(Socket_t xSocket, void *pvBuffer, size_t uxBufferLength,
                         BaseType_t xFlags);
void NVIC_SystemReset(void);
