/**
 * A deny that needs no code to be made: `{status: {code: 14}, denied_response: {status: {code: 503}}}`. Answered where even the
 * encoding of a deny failed.
 */
export const lastResortDeny: Uint8Array = Uint8Array.of(0x0a, 2, 0x08, 14, 0x12, 5, 0x0a, 3, 0x08, 0xf7, 0x03);
