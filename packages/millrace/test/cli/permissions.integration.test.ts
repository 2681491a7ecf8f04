/** What users are told whose principal lacks a permission: what to grant, before a run and in one. */
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { javaAvailable, uniqueName } from '../support/broker.ts'
import { cli } from '../support/cli.ts'
import { pipelineFile } from '../support/pipelines.ts'
import { secureBroker, TLS_FIXTURES } from '../support/secure-broker.ts'
import { topicBed } from '../support/topics.ts'

describe.skipIf(!javaAvailable)('a principal that lacks a permission', () => {
  const broker = secureBroker({ clientAuth: 'requested', authorizes: true })
  const bed = topicBed(() => broker().plaintext)
  let input: string
  let output: string
  let groupId: string
  const grant = async (...args: string[]): Promise<void> => {
    const { kafka, plaintext } = broker()
    const who = ['--bootstrap-server', plaintext, '--add', '--allow-principal', 'User:user']
    await kafka.javaTool('org.apache.kafka.tools.AclCommand', [...who, ...args])
  }
  const file = (): Promise<string> => {
    const access = {
      bootstrapServers: broker().secured,
      'security.protocol': 'SASL_SSL',
      'sasl.mechanism': 'PLAIN',
      saslUsername: 'user',
      saslPassword: 'pass',
      'ssl.truststore.location': join(TLS_FIXTURES, 'ca.pem'),
    }
    return pipelineFile({
      source: { type: 'kafka', topic: input, groupId, 'auto.offset.reset': 'earliest', ...access },
      stages: [{ $set: { m: 1 } }],
      sink: { type: 'kafka', topic: output, ...access },
    })
  }
  beforeAll(async () => {
    input = await bed().create()
    output = await bed().create()
    groupId = uniqueName('group')
    await bed().write(input, [{ value: '{"n":1}' }])
  })

  // `check` said "all checks passed" where the run was refused, which ended with five different codes.
  test('learns from check what to grant, one thing after the other, and in a run', async () => {
    const check = async (): Promise<string> => {
      const { code, stdout } = await cli(['check', await file()])
      return `${code} ${stdout}`
    }
    const run = async (): Promise<unknown> => {
      const { code, stdout } = await cli(['run', '--until-end', '--json', await file()])
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string } | null }
      return [code, error?.code, error?.message]
    }
    const refused = (permission: string): unknown => [
      3,
      'NOT_AUTHORIZED',
      expect.stringContaining(`grant ${permission}`),
    ]

    expect(await check()).toMatch(`NOT_AUTHORIZED: Cannot see topic "${input}"`)
    await grant('--topic', input, '--operation', 'DESCRIBE')
    await grant('--topic', output, '--operation', 'DESCRIBE')
    await grant('--group', groupId, '--operation', 'DESCRIBE')
    const missing = await check()
    expect(missing).toMatch(/^3 /)
    expect(missing).toContain(`grant READ on topic "${input}" to the principal`)
    expect(missing).toContain(`grant WRITE on topic "${output}" to the principal`)
    expect(await run()).toEqual(refused('WRITE on the topic'))
    await grant('--topic', output, '--operation', 'WRITE')
    expect(await run()).toEqual(refused('READ on the group'))
    await grant('--group', groupId, '--operation', 'READ')
    expect(await run()).toEqual(refused(`READ on topic "${input}"`))
    await grant('--topic', input, '--operation', 'READ')
    expect(await check()).toMatch(/^0 [^]*all checks passed/)
    expect(await run()).toEqual([0, undefined, undefined])
  })
})
