import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { unreadable } from '../../src/errors/unreadable.ts'

test('says why a file cannot be read, without the words of the system', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-unreadable-'))
  const failure = (path: string): Promise<unknown> => readFile(path).catch((error: unknown) => error)
  const missing = join(folder, 'ca.pem')
  expect(unreadable(`the truststore "${missing}"`, await failure(missing))).toMatchObject({
    code: 'FILE_UNREADABLE',
    message: `Cannot read the truststore "${missing}": the file does not exist`,
  })
  expect(unreadable('it', await failure(folder)).message).toBe('Cannot read it: it is a folder')
  expect(unreadable('it', new Error('Bad magic.')).message).toBe('Cannot read it: Bad magic')
  await rm(folder, { recursive: true })
})
