/** Why something cannot be written, in words that say what to correct. */
import { FileError } from './index.ts'

/** @param what a path in quotes, or "to standard output" */
export function unwritable(what: string, error: unknown): FileError {
  const { code = '', message } = error as NodeJS.ErrnoException
  return new FileError('FILE_UNWRITABLE', `Cannot write ${what}: ${REASONS[code] ?? message}`, { cause: error })
}

const REASONS: { readonly [code: string]: string | undefined } = {
  EACCES: 'no permission',
  EROFS: 'no permission',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'a part of the path is a file',
  EPIPE: 'its reader has closed it',
}
