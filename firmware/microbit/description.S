/* The template of the device description, byte for byte. */
    .section .rodata.microbit_description, "a"
    .global microbit_description
    .global microbit_description_end
microbit_description:
    .incbin MUP_DESCRIPTION_FILE
microbit_description_end:
