import { isMillraceError, type MillraceError, UnexpectedError } from './index.ts'

/** The error itself where it is one of ours, else an `UnexpectedError` with the message and the error as its cause. */
export function asMillraceError(error: unknown, message: string): MillraceError {
  return isMillraceError(error) ? error : new UnexpectedError(message, { cause: error })
}
