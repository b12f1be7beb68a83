# Cross-compile for a Cortex-M; MUP_CPU chooses which (cortex-m0 unless told).
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
if(NOT MUP_CPU)
    set(MUP_CPU cortex-m0)
endif()
# The call graph with stack sizes (.ci beside each object) feeds tests/checks/stack.
set(CMAKE_C_FLAGS_INIT "-mcpu=${MUP_CPU} -mthumb -fcallgraph-info=su")
set(CMAKE_C_FLAGS_MINSIZEREL_INIT "-Os")
