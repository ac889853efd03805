// Entry of the API Worker.
export { CreatorHub } from "../creator-hub/creator-hub.ts";
export { WatchList } from "../creator-hub/watch-list.ts";

export default {
  fetch() {
    return new Response("not found", { status: 404 });
  },
} satisfies ExportedHandler<ApiEnv>;
