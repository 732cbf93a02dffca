import { compare, type Message, Writer, writeMessage } from '../../../protocol/index.ts'

/** The messages that leave a shard with a block, in the order in which `outRoot` commits them. */
export interface Outgoing {
  /** The items, CBOR [realm, destPath, index, message], sorted by the first three, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The same one by one, as views. */
  readonly items: readonly Uint8Array[]
  /** Sum of their values. */
  readonly value: bigint
}

interface Entry {
  readonly realm: number
  readonly path: Uint8Array
  readonly index: number
  /** Where it is in what was written. */
  readonly from: number
  readonly to: number
}

/** Collects what leaves a shard while a block runs. */
export class OutBox {
  readonly #entries: Entry[] = []
  readonly #writer = new Writer(4096)
  #value = 0n

  /** `path`: that of the cell that it goes to. */
  add(path: Uint8Array, message: Message): void {
    const index = this.#entries.length
    const writer = this.#writer
    const from = writer.length
    writer.arrayHeader(4)
    writer.uint(message.realm)
    writer.bytes(path)
    writer.uint(index)
    writeMessage(writer, message)
    this.#entries.push({ realm: message.realm, path, index, from, to: writer.length })
    this.#value += message.value
  }

  finish(): Outgoing {
    const written = this.#writer.view()
    const bytes = new Uint8Array(written.length)
    const sorted = [...this.#entries].sort((a, b) => a.realm - b.realm || compare(a.path, b.path) || a.index - b.index)
    let at = 0
    const items = sorted.map(({ from, to }) => {
      const start = at
      bytes.set(written.subarray(from, to), start)
      at += to - from
      return bytes.subarray(start, at)
    })
    return { bytes, items, value: this.#value }
  }
}
