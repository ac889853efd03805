// A ClickHouse exception as the HTTP interface tells it: number, name, message, and the status that goes with them.

/** A request that ClickHouse refuses. */
export class ClickHouseFailure extends Error {
  override readonly name = "ClickHouseFailure";
  /** The exception's number. */
  readonly code: number;
  /** The exception's name, such as UNKNOWN_TABLE. */
  readonly type: string;

  constructor(code: number, type: string, message: string) {
    super(message);
    this.code = code;
    this.type = type;
  }

  /** The text that clients parse. */
  get body(): string {
    return `Code: ${this.code}. DB::Exception: ${this.message} (${this.type}) (version ${ENGINE_VERSION})\n`;
  }

  /** The status that the HTTP interface gives it. */
  get status(): number {
    return STATUS_BY_CODE.get(this.code) ?? 500;
  }
}

/** What chdb 3.4.0 answers to `SELECT version()`. */
const ENGINE_VERSION = "26.7.2.1";

/** ClickHouse, src/Server/HTTP/exceptionCodeToHTTPStatus.cpp: every code that is not a plain 500. */
const CODES_BY_STATUS: Record<number, readonly number[]> = {
  400: [6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676],
  401: [194],
  403: [192, 193, 497, 512, 516],
  404: [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511],
  408: [159],
  411: [381],
  413: [229],
  415: [779],
  501: [48],
  503: [76, 209, 439],
};

const STATUS_BY_CODE = new Map(
  Object.entries(CODES_BY_STATUS).flatMap(([status, codes]) => codes.map((code) => [code, Number(status)] as const)),
);

/** Reads an error of the engine; one without a ClickHouse code becomes UNKNOWN_EXCEPTION. */
export function failureOf(error: unknown): ClickHouseFailure {
  if (error instanceof ClickHouseFailure) {
    return error;
  }
  const text = error instanceof Error ? error.message : String(error);
  const [, code, message, type] =
    /^(?:Query failed: )?Code: (\d+)\. DB::Exception: (.*) \(([A-Z0-9_]+)\)\s*$/s.exec(text) ?? [];
  return code === undefined || message === undefined || type === undefined
    ? new ClickHouseFailure(1002, "UNKNOWN_EXCEPTION", text)
    : new ClickHouseFailure(Number(code), type, message);
}
