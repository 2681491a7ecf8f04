import { unwritable } from '../errors/unwritable.ts'

/** Resolves when standard output has taken the text. */
export function writeOut(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(unwritable('to standard output', error)) : resolve()))
  })
}
