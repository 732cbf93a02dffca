import { type FileHandle, open } from 'node:fs/promises'
import { concat, equal, sha256 } from '../../../protocol/index.ts'
import { SnapshotError } from './errors.ts'

/** The first bytes of a snapshot: what it is, and the version of its format. */
const MAGIC = new TextEncoder().encode('deaios snapshot 1\n')
const SUM_BYTES = 32
const HEAD_BYTES = 4 + SUM_BYTES
/** No section is longer, so that reading one needs no more memory. */
const MAX_SECTION = 256 * 1024 * 1024
const READ_BYTES = 1 << 20

/**
 * Writes a snapshot's sections: `u32 length || sum || bytes`, where `sum = SHA-256(sum before || bytes)`, the first of
 * them over the hash of the file's first line. So none can be changed, left out or moved.
 */
export class SectionWriter {
  readonly #file: FileHandle
  #sum = sha256(MAGIC)
  #size = 0

  private constructor(file: FileHandle) {
    this.#file = file
  }

  /** Begins a new file. @throws the system's error, EEXIST if there is one of this name */
  static async create(path: string): Promise<SectionWriter> {
    const writer = new SectionWriter(await open(path, 'wx'))
    await writer.#write(MAGIC)
    return writer
  }

  /** Bytes written. */
  get size(): number {
    return this.#size
  }

  async add(section: Uint8Array): Promise<void> {
    if (section.length > MAX_SECTION) throw new RangeError(`a section of ${section.length} bytes is too long`)
    this.#sum = sha256(concat(this.#sum, section))
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, section.length)
    await this.#write(concat(length, this.#sum, section))
  }

  /** Makes it durable. */
  async close(): Promise<void> {
    await this.#file.sync()
    await this.#file.close()
  }

  /** Ends without making anything durable. */
  async abandon(): Promise<void> {
    await this.#file.close()
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#file.writeFile(bytes)
    this.#size += bytes.length
  }
}

/**
 * The sections of a file, in order; their sums are checked. Memory: one section.
 * @throws SnapshotError NOT_A_SNAPSHOT or DAMAGED, saying at which byte
 */
export async function* readSections(path: string): AsyncGenerator<Uint8Array, void> {
  const file = await open(path, 'r')
  try {
    const source = new Source(file)
    const first = await source.take(MAGIC.length)
    if (!equal(first, MAGIC))
      throw new SnapshotError('NOT_A_SNAPSHOT', `${path} is no snapshot, or one of another version`)
    let sum = sha256(MAGIC)
    for (;;) {
      const at = source.offset
      const head = await source.take(HEAD_BYTES)
      if (head.length === 0) return
      if (head.length < HEAD_BYTES) throw cutOff(path, at)
      const length = new DataView(head.buffer, head.byteOffset).getUint32(0)
      if (length > MAX_SECTION) throw changed(path, at)
      const section = await source.take(length)
      if (section.length < length) throw cutOff(path, at)
      sum = sha256(concat(sum, section))
      if (!equal(sum, head.subarray(4))) throw changed(path, at)
      yield section
    }
  } finally {
    await file.close()
  }
}

const cutOff = (path: string, at: number): SnapshotError =>
  new SnapshotError('DAMAGED', `${path} ends within the section at byte ${at}: copy it again`)
const changed = (path: string, at: number): SnapshotError =>
  new SnapshotError('DAMAGED', `${path} was changed in the section at byte ${at}: copy it again`)

/** Reads a file from its beginning, a large piece at a time. */
class Source {
  readonly #file: FileHandle
  #ahead = new Uint8Array(0)
  /** Where the next byte stands in the file. */
  offset = 0

  constructor(file: FileHandle) {
    this.#file = file
  }

  /** The next bytes, in memory of their own; fewer at the end of the file. */
  async take(length: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = []
    let missing = length
    while (missing > 0) {
      if (this.#ahead.length === 0) {
        // What a changed length asks for is read only as far as the file goes.
        const buffer = new Uint8Array(READ_BYTES)
        const { bytesRead } = await this.#file.read(buffer, 0, READ_BYTES)
        if (bytesRead === 0) break
        this.#ahead = buffer.subarray(0, bytesRead)
      }
      const piece = this.#ahead.subarray(0, missing)
      pieces.push(piece)
      this.#ahead = this.#ahead.subarray(piece.length)
      missing -= piece.length
    }
    this.offset += length - missing
    return concat(...pieces)
  }
}
