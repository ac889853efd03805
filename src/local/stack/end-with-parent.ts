// Preloaded into every process of the local stack: a part whose parent died ends too, however the parent died.
process.on("disconnect", () => {
  process.kill(process.pid, "SIGTERM");
});
// The channel alone must not keep a finished part alive.
process.channel?.unref();
