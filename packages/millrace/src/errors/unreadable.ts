/** Why something cannot be read, in words that say what to correct. */
import { FileError } from './index.ts'

/** @param what a path in quotes, with what it is for: `the truststore "/ca.pem"` */
export function unreadable(what: string, error: unknown): FileError {
  return new FileError('FILE_UNREADABLE', `Cannot read ${what}: ${unreadableReason(error)}`, { cause: error })
}

/** The reason alone, without a full stop. */
export function unreadableReason(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return REASONS[code] ?? message.replace(/\.$/, '')
}

const REASONS: { readonly [code: string]: string | undefined } = {
  ENOENT: 'the file does not exist',
  ENOTDIR: 'a part of the path is a file',
  EACCES: 'no permission',
  EISDIR: 'it is a folder',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
}
