/**
 * Flags for every process of ours that calls `fetch` and has worker threads.
 *
 * fetch parses HTTP in WebAssembly. V8 compiles the wrapper of a function that WebAssembly imports anew after some
 * calls, and the V8 of Node 24 sometimes ends the whole process (a failed check below UnregisterWasmAllocation) when
 * it frees the old wrapper while threads begin and end: https://github.com/nodejs/node/issues/64500. With a budget of
 * calls that nobody uses up there is nothing to free. A call of such a wrapper costs some nanoseconds more.
 */
export const V8_FLAGS: readonly string[] = ['--wasm-wrapper-tiering-budget=1000000000']
