/** Errors that say what was being done, and keep what they wrap. */
import { type ErrorCode, isMillraceError, MillraceError, UnexpectedError } from '../errors/index.ts'

class ContextError extends MillraceError {
  constructor(code: ErrorCode, message: string, cause: unknown) {
    super(code, message, { cause })
  }
}

/** The same error, behind a text that says what failed. */
export function withContext(context: string, error: unknown): MillraceError {
  if (!isMillraceError(error)) return new UnexpectedError(`${context}: ${String(error)}`, { cause: error })
  return new ContextError(error.code, `${context}: ${error.message}`, error)
}

/** Adds the context to whatever some work throws. */
export async function inContext<T>(context: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw withContext(context, error)
  }
}
