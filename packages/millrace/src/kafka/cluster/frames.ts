/**
 * Hands the answers of a broker to the protocol library whole.
 *
 * The library keeps the pieces of an answer, 64 KiB and less, until the last one is there, and then copies what is asked for. Of
 * a fetch of several megabytes hundreds of pieces live long enough to be promoted to the old generation, and collecting them
 * cost up to a third of the time of a consumer. Here each piece is copied into its answer as it comes and dies young; the
 * library then finds everything in one buffer, of which it gives views without copying again.
 */
import type { Socket } from 'node:net'

const LENGTH_BYTES = 4
/** No broker answers with more; it is what a listener of another protocol seems to announce. */
const MAX_FRAME_BYTES = 2 ** 30

/** Puts a `FrameGatherer` between a connected socket and the one who listens to its data. */
export function gatherFrames(socket: Socket): void {
  const listeners = socket.listeners('data') as ((bytes: Buffer) => void)[]
  const gatherer = new FrameGatherer((frame) => {
    for (const listener of listeners) listener.call(socket, frame)
  })
  for (const listener of listeners) socket.off('data', listener)
  socket.on('data', (piece: Buffer) => {
    if (!gatherer.push(piece))
      socket.destroy(new Error(`The broker announced a response of more than ${MAX_FRAME_BYTES} bytes`))
  })
}

/** Makes whole frames of pieces. A frame is a length of four bytes, and so many bytes. */
export class FrameGatherer {
  readonly #emit: (frame: Buffer) => void
  readonly #length = Buffer.alloc(LENGTH_BYTES)
  /** Bytes of the length or, once it is complete, of the frame that are there. */
  #filled = 0
  #frame: Buffer | undefined

  /** @param emit takes a whole frame with its length in front; it is the only owner of the bytes, or they are part of the piece */
  constructor(emit: (frame: Buffer) => void) {
    this.#emit = emit
  }

  /** @returns false when the length of a frame cannot be right; nothing can be read any more */
  push(piece: Buffer): boolean {
    let position = 0
    while (position < piece.length) {
      if (this.#frame === undefined) {
        const missing = Math.min(LENGTH_BYTES - this.#filled, piece.length - position)
        piece.copy(this.#length, this.#filled, position, position + missing)
        this.#filled += missing
        position += missing
        if (this.#filled < LENGTH_BYTES) return true
        const size = this.#length.readInt32BE()
        if (size < 0 || size > MAX_FRAME_BYTES) return false
        const start = position - LENGTH_BYTES
        if (start >= 0 && position + size <= piece.length) {
          this.#filled = 0
          position += size
          this.#emit(piece.subarray(start, position))
          continue
        }
        this.#frame = Buffer.allocUnsafeSlow(LENGTH_BYTES + size)
        this.#length.copy(this.#frame)
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
