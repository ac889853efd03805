// Entry of the consumer Worker.
export { PartitionReader } from "./partition-reader.ts";

export default {
  fetch() {
    return new Response("not found", { status: 404 });
  },
} satisfies ExportedHandler<ConsumerEnv>;
