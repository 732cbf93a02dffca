import { compare, type Message, Writer, writeMessage } from '../../../protocol/index.ts'

/** The messages that leave a shard with a block, in the order in which `outRoot` commits them. */
export interface Outgoing {
  /** The encoded items, CBOR [realm, destPath, index, message], sorted by the first three. */
  readonly items: readonly Uint8Array[]
  /** Sum of their values. */
  readonly value: bigint
}

interface Entry {
  readonly realm: number
  readonly path: Uint8Array
  readonly index: number
  readonly encoded: Uint8Array
}

/** Collects what leaves a shard while a block runs. */
export class OutBox {
  readonly #entries: Entry[] = []
  readonly #writer = new Writer(512)
  #value = 0n

  /** `path`: that of the cell that it goes to. */
  add(path: Uint8Array, message: Message): void {
    const index = this.#entries.length
    const writer = this.#writer
    writer.arrayHeader(4)
    writer.uint(message.realm)
    writer.bytes(path)
    writer.uint(index)
    writeMessage(writer, message)
    this.#entries.push({ realm: message.realm, path, index, encoded: writer.finish() })
    this.#value += message.value
  }

  finish(): Outgoing {
    const sorted = [...this.#entries].sort((a, b) => a.realm - b.realm || compare(a.path, b.path) || a.index - b.index)
    return { items: sorted.map((entry) => entry.encoded), value: this.#value }
  }
}
