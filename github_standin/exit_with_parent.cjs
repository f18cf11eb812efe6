// Loaded into the child before emulate: the pipe on stdin closes when the parent dies, however it dies,
// so that no server is left behind even after a SIGKILL.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
process.stdin.on("error", () => process.exit(0));
