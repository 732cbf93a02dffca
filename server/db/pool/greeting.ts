const HEADER_BYTES = 5
const READY = 'Z'.charCodeAt(0)
const ERROR = 'E'.charCodeAt(0)

/**
 * Reads along what the server says until the first statement can be sent. Before that postgres.js asks for the types of
 * arrays, and nobody hears of it if that is refused (cancelled, out of time) but the process, as a rejection that nobody
 * handles, which ends it (seen in 3.4.9).
 */
export class Greeting {
  #header: number[] = []
  #skip = 0
  #ready = 0

  /** Takes the next bytes. @returns false if the server refuses the question for types */
  take(bytes: Uint8Array): boolean {
    for (let at = 0; at < bytes.length && this.#ready < 2; ) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at)
        this.#skip -= skipped
        at += skipped
        continue
      }
      this.#header.push(bytes[at++] ?? 0)
      if (this.#header.length < HEADER_BYTES) continue
      const header = Buffer.from(this.#header)
      this.#header = []
      // The length counts itself.
      this.#skip = header.readUInt32BE(1) - 4
      if (header[0] === READY) this.#ready++
      else if (header[0] === ERROR && this.#ready === 1) return false
    }
    return true
  }
}
