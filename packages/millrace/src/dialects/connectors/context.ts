import type { LineFunctions } from '../line-functions.ts'

export interface ConnectorsContext {
  readonly file: string
  readonly directory: string
  /** Used when the file names none. */
  readonly name: string
  /** When the file may name one among its transforms. */
  readonly functions?: LineFunctions | undefined
}
