/**
 * SCRAM by the example of RFC 7677; that real brokers agree is shown by `listeners.integration.test.ts`.
 */
import { expect, test } from 'vitest'
import { scram } from '../../../src/kafka/security/scram.ts'

const NONCE = 'rOprNGfwEbeRWgbNEkqO'
const CHALLENGE = `r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`
const PROOF = `c=biws,r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`
const VERIFIER = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='

async function converse(answers: string[], username = 'user'): Promise<string[]> {
  const said: string[] = []
  const settings = { mechanism: 'SCRAM-SHA-256', username, password: 'pencil' } as const
  const conversation = await scram(settings, '', () => NONCE).prepare('broker', new AbortController().signal)
  await conversation((message) => {
    said.push(message.toString())
    return Promise.resolve(Buffer.from(answers.shift() ?? ''))
  })
  return said
}

test('says what the example of RFC 7677 says', async () => {
  expect(await converse([CHALLENGE, VERIFIER])).toEqual([`n,,n=user,r=${NONCE}`, PROOF])
})

test('escapes every comma and equals sign of a user name', async () => {
  const said: string[] = []
  const settings = { mechanism: 'SCRAM-SHA-512', username: 'a,b,c=d', password: 'p' } as const
  const conversation = await scram(settings, '', () => NONCE).prepare('broker', new AbortController().signal)
  await conversation((message) => {
    said.push(message.toString())
    return Promise.reject(new Error('enough'))
  }).catch(() => {})
  expect(said).toEqual([`n,,n=a=2Cb=2Cc=3Dd,r=${NONCE}`])
})

test.each([
  { name: 'another nonce', answers: ['r=other,s=W22Z,i=4096'], error: 'did not repeat our nonce' },
  { name: 'few iterations', answers: [CHALLENGE.replace('4096', '1')], error: 'less than 4096 iterations' },
  { name: 'no iterations', answers: [`r=${NONCE}`], error: 'less than 4096 iterations' },
  { name: 'nothing', answers: [''], error: 'did not repeat our nonce' },
  { name: 'an error', answers: [CHALLENGE, 'e=invalid-proof'], error: 'invalid-proof' },
  { name: 'a wrong signature', answers: [CHALLENGE, 'v=AAAA'], error: 'could not prove that it knows the password' },
  {
    name: 'a wrong signature of the right length',
    answers: [CHALLENGE, VERIFIER.replace('6rri', '6rrj')],
    error: 'could not prove that it knows the password',
  },
])('refuses a broker that answers with $name', async ({ answers, error }) => {
  await expect(converse(answers)).rejects.toThrow(error)
})
