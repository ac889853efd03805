// A database's answer may be hostile: however long it is, no more than a bound is read.

/** The response with a body that fails once it has grown beyond `maxBytes`. */
export function boundedBody(response: Response, maxBytes: number): Response {
  if (response.body === null) {
    return response;
  }
  let bytes = 0;
  const bounded = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        if (bytes > maxBytes) {
          controller.error(new RangeError(`more than ${maxBytes} bytes`));
        } else {
          controller.enqueue(chunk);
        }
      },
    }),
  );
  return new Response(bounded, { status: response.status, headers: response.headers });
}
