/**
 * Blocks of LZ4 and Snappy, decompressed by a WebAssembly module of our own (`blocks.wat`), which checks every length and distance:
 * malformed bytes never trap it. Its memory is used again and again, so that nothing is allocated but the result.
 */
import { BLOCKS_MODULE } from './blocks-module.ts'

/** Decompresses `[at, end)` to `[to, limit)`; copies may refer back to `base`. -1 when the block is malformed or does not fit. */
type DecompressBlock = (at: number, end: number, base: number, to: number, limit: number) => number

/** What is used of WebAssembly, which Node's types leave out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Buffer) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

interface BlocksModule {
  /** `grow` takes pages, and throws a RangeError when there is no memory for them. */
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  readonly lz4: DecompressBlock
  readonly snappy: DecompressBlock
}

/** How much copies run over. */
const SLACK_BYTES = 16
const PAGE_BYTES = 65_536
/** A module whose memory has grown beyond this is not kept, as memory never shrinks. */
const KEPT_BYTES = 32 * 1024 * 1024

let kept: BlocksModule | undefined

/** The module with some bytes in its memory, from position 0 on, and room for what comes out. */
export class BlockDecoder {
  readonly lz4: DecompressBlock
  readonly snappy: DecompressBlock
  /** Position of the first byte of the output. */
  readonly start: number
  readonly #memory: Buffer

  /**
   * @param input copied
   * @param maxOutput most bytes that are written
   * @throws {RangeError} there is no memory for it
   */
  constructor(input: Buffer, maxOutput: number) {
    const module = kept ?? instantiate()
    kept = undefined
    this.start = input.length + SLACK_BYTES
    const missing = this.start + maxOutput + SLACK_BYTES - module.memory.buffer.byteLength
    if (missing > 0) module.memory.grow(Math.ceil(missing / PAGE_BYTES))
    if (module.memory.buffer.byteLength <= KEPT_BYTES) kept = module
    this.lz4 = module.lz4
    this.snappy = module.snappy
    this.#memory = Buffer.from(module.memory.buffer)
    input.copy(this.#memory)
  }

  /** Copies bytes of the input to the output, where a block is stored as it is. */
  store(at: number, end: number, to: number): void {
    this.#memory.copyWithin(to, at, end)
  }

  /** A copy of the output up to a position. */
  output(end: number): Buffer {
    const bytes = Buffer.allocUnsafe(end - this.start)
    this.#memory.copy(bytes, 0, this.start, end)
    return bytes
  }
}

function instantiate(): BlocksModule {
  const module = new WebAssembly.Module(Buffer.from(BLOCKS_MODULE, 'base64'))
  // What the module exports is what its text says.
  return new WebAssembly.Instance(module).exports as BlocksModule
}
