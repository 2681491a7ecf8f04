/**
 * `encrypt.apply` and `decrypt.apply`: cells as base64 of a nonce of 12 bytes, the cipher text and its tag of 16 bytes.
 */
import { createCipheriv, createDecipheriv, randomBytes, type CipherGCMTypes } from 'node:crypto'
import type { Stage } from '../contracts/stage.ts'
import { problem, type OptionProblem } from '../options/declaration.ts'
import { field } from '../options/fields.ts'
import { mapDocuments } from '../stages/rows.ts'
import { cellText } from './rows/row-text.ts'
import { exactCell } from './rows/exact-cells.ts'
import { defineStageFunction } from './transforms.ts'
import { columnReader, withColumn } from './rows/values.ts'

const KEY_BYTES = { 'aes-128-gcm': 16, 'aes-256-gcm': 32, 'chacha20-poly1305': 32 } as const
type Algorithm = keyof typeof KEY_BYTES
const NONCE_BYTES = 12
const TAG_BYTES = 16

const shared = {
  key: field
    .string()
    .secret()
    .doc('Key: exactly 16 bytes for aes-128-gcm, 32 for the others. Use an environment variable for it.'),
  algorithm: field
    .oneOf(['aes-128-gcm', 'aes-256-gcm', 'chacha20-poly1305'])
    .default('aes-256-gcm')
    .doc('Encryption algorithm.'),
  fail_on_error: field
    .boolean()
    .default(false)
    .doc('Whether a cell that cannot be processed is an error of its row. Otherwise it becomes null.'),
}

function keyProblem({
  key,
  algorithm,
}: {
  readonly key: string
  readonly algorithm: Algorithm
}): OptionProblem | undefined {
  const [have, want] = [Buffer.byteLength(key), KEY_BYTES[algorithm]]
  return have === want
    ? undefined
    : problem('key', `The key must have exactly ${want} bytes for ${algorithm}: it has ${have}`)
}

export const encryptApply = defineStageFunction({
  name: 'encrypt.apply',
  summary: 'Encrypts a column.',
  options: {
    column: field
      .string()
      .doc('Column to encrypt. Objects and lists are encrypted as JSON; null stays null.')
      .example('card_number'),
    ...shared,
    output_column: field
      .string()
      .optional()
      .doc(
        'Column for the ciphertext. By default the name of the column, followed by `_encrypted`. Add a `select.apply` to drop the clear text.',
      ),
  },
  rules: [keyProblem],
  made: ({ column, output_column }) => [output_column ?? `${column}_encrypted`],
  examples: [{ title: 'Card numbers', options: { column: 'card', key: '0123456789abcdef0123456789abcdef' } }],
  stage: ({ column, output_column, ...settings }, { stage }) =>
    cipherStage(stage, column, output_column ?? `${column}_encrypted`, settings.fail_on_error, (cell) =>
      encrypt(cellText(cell), settings.key, settings.algorithm),
    ),
})

export const decryptApply = defineStageFunction({
  name: 'decrypt.apply',
  summary: 'Decrypts a column that was encrypted by encrypt.apply.',
  options: {
    column: field.string().doc('Column to decrypt. Null stays null.').example('card_number_encrypted'),
    ...shared,
    output_column: field
      .string()
      .optional()
      .doc('Column for the clear text. By default the name of the column, followed by `_decrypted`.'),
  },
  rules: [keyProblem],
  made: ({ column, output_column }) => [output_column ?? `${column}_decrypted`],
  examples: [{ title: 'Card numbers', options: { column: 'card_encrypted', key: '0123456789abcdef0123456789abcdef' } }],
  stage: ({ column, output_column, ...settings }, { stage }) =>
    cipherStage(stage, column, output_column ?? `${column}_decrypted`, settings.fail_on_error, (cell) =>
      decrypt(cellText(cell), settings.key, settings.algorithm),
    ),
})

function cipherStage(
  stage: string,
  column: string,
  output: string,
  failOnError: boolean,
  work: (cell: unknown) => string,
): Pick<Stage, 'process'> {
  const read = columnReader(column)
  const result = (cell: unknown): string | null => {
    if (cell === null || cell === undefined) return null
    try {
      return work(cell)
    } catch (error) {
      if (failOnError) throw error
      return null
    }
  }
  return {
    process: (batch, failed) =>
      mapDocuments(
        batch,
        stage,
        (cells, row) => withColumn(cells, output, result(exactCell(read(cells), column, batch, row))),
        failed,
      ),
  }
}

// The types of Node know the nonce and tag of GCM; ChaCha20-Poly1305 has the same.
function encrypt(text: string, key: string, algorithm: Algorithm): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(algorithm as CipherGCMTypes, key, nonce, { authTagLength: TAG_BYTES })
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64')
}

function decrypt(text: string, key: string, algorithm: Algorithm): string {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new Error('it is too short to be a ciphertext')
  const decipher = createDecipheriv(algorithm as CipherGCMTypes, key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
}
