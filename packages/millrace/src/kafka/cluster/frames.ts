/**
 * Puts the responses of a broker together: each piece that a socket delivers is copied into its frame as it comes, and what reads
 * the frame takes views of one buffer.
 */

const LENGTH_BYTES = 4
/** No broker answers with more; it is what a listener of another protocol seems to announce. */
const MAX_FRAME_BYTES = 2 ** 30

/** Makes whole frames of pieces. A frame is a length of four bytes, and so many bytes. */
export class FrameGatherer {
  readonly #emit: (frame: Buffer) => void
  readonly #length = Buffer.alloc(LENGTH_BYTES)
  /** Bytes of the length or, once it is complete, of the frame that are there. */
  #filled = 0
  #frame: Buffer | undefined
  readonly #maxBytes: number

  /**
   * @param emit takes a frame without its length, and is the only owner of its bytes
   * @param maxBytes longest frame
   */
  constructor(emit: (frame: Buffer) => void, maxBytes: number = MAX_FRAME_BYTES) {
    this.#emit = emit
    this.#maxBytes = maxBytes
  }

  /** Copies the piece, which may change afterwards. @returns false when the length of a frame cannot be right; nothing can be read any more */
  push(piece: Buffer): boolean {
    let position = 0
    while (position < piece.length) {
      if (this.#frame === undefined) {
        const missing = Math.min(LENGTH_BYTES - this.#filled, piece.length - position)
        piece.copy(this.#length, this.#filled, position, position + missing)
        this.#filled += missing
        position += missing
        if (this.#filled < LENGTH_BYTES) return true
        this.#filled = 0
        const size = this.#length.readInt32BE()
        if (size < 0 || size > this.#maxBytes) return false
        if (size <= piece.length - position) {
          position += size
          this.#emit(Buffer.from(piece.subarray(position - size, position)))
          continue
        }
        this.#frame = Buffer.allocUnsafeSlow(size)
      }
      const frame = this.#frame
      const copied = Math.min(frame.length - this.#filled, piece.length - position)
      piece.copy(frame, this.#filled, position, position + copied)
      this.#filled += copied
      position += copied
      if (this.#filled === frame.length) {
        this.#frame = undefined
        this.#filled = 0
        this.#emit(frame)
      }
    }
    return true
  }
}
