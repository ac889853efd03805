// What a client says of what it has received.
import { receiptSchema, type Receipt } from "../contract/live-frames.ts";

/** No receipt is longer: its keys, its type, and the greatest number. */
const MAX_RECEIPT_CHARACTERS = 100;

/** Reads a client's message; null when it is anything but a receipt. Never throws. */
export function readReceipt(message: string | ArrayBuffer): Receipt | null {
  if (typeof message !== "string" || message.length > MAX_RECEIPT_CHARACTERS) {
    return null;
  }
  try {
    return receiptSchema.safeParse(JSON.parse(message)).data ?? null;
  } catch {
    return null;
  }
}
