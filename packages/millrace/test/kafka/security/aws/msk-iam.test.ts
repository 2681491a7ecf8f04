/**
 * The message of AWS_MSK_IAM is what Amazon's own library makes of the same key, host and time, and signatures are those of AWS's
 * documentation. That a broker agrees is shown by `listeners.integration.test.ts`.
 */
import { describe, expect, test } from 'vitest'
import { mskIam, signedMessage } from '../../../../src/kafka/security/aws/msk-iam.ts'
import type { AwsSettings } from '../../../../src/kafka/security/settings.ts'
import { presign } from '../../../../src/kafka/security/aws/sigv4.ts'

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const HOST = 'b-1.orders.x1y2z3.c2.kafka.us-east-1.amazonaws.com'

describe('signatures', () => {
  // https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
  test('are those of the example in the documentation', () => {
    const signed = presign({
      credentials: {
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
        sessionToken: undefined,
      },
      region: 'us-east-1',
      service: 's3',
      host: 'examplebucket.s3.amazonaws.com',
      path: '/test.txt',
      query: {},
      expiresInSeconds: 86_400,
      at: new Date('2013-05-24T00:00:00Z'),
      bodyHash: 'UNSIGNED-PAYLOAD',
    })
    expect(signed).toEqual({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request',
      'X-Amz-Date': '20130524T000000Z',
      'X-Amz-Expires': '86400',
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Signature': 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    })
  })
})

describe('the message', () => {
  // Made by software.amazon.msk:aws-msk-iam-auth:2.3.2, AWS4SignedPayloadGenerator.
  test.each([
    {
      name: 'a key',
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET, sessionToken: undefined },
      theirs:
        '{"x-amz-date":"20261121T082850Z","x-amz-signedheaders":"host","x-amz-signature":"326addfc9142f8af9d16e0a6fb1bcc121ebb25f61550f173ddee2d4703d7d1b8","host":"b-1.orders.x1y2z3.c2.kafka.us-east-1.amazonaws.com","action":"kafka-cluster:Connect","x-amz-expires":"900","version":"2020_10_22","x-amz-algorithm":"AWS4-HMAC-SHA256","x-amz-credential":"AKIDEXAMPLE/20261121/us-east-1/kafka-cluster/aws4_request","user-agent":"ua/1.0"}',
      at: '2026-11-21T08:28:50Z',
    },
    {
      name: 'a temporary key',
      credentials: {
        accessKeyId: 'ASIAEXAMPLE',
        secretAccessKey: SECRET,
        sessionToken: 'FQoGZXIvYXdzE/+session=token//with+signs==',
      },
      theirs:
        '{"x-amz-date":"20261121T082851Z","x-amz-signedheaders":"host","x-amz-signature":"9d7ded1fd403b03ff30d3db3880f2fc41abb2466ab101bfd44fdcb9a47cdc511","host":"b-1.orders.x1y2z3.c2.kafka.us-east-1.amazonaws.com","action":"kafka-cluster:Connect","x-amz-expires":"900","x-amz-security-token":"FQoGZXIvYXdzE/+session=token//with+signs==","version":"2020_10_22","x-amz-algorithm":"AWS4-HMAC-SHA256","x-amz-credential":"ASIAEXAMPLE/20261121/us-east-1/kafka-cluster/aws4_request","user-agent":"ua/1.0"}',
      at: '2026-11-21T08:28:51Z',
    },
  ])("with $name is that of Amazon's library", ({ credentials, theirs, at }) => {
    const message = signedMessage({
      credentials,
      region: 'us-east-1',
      host: HOST,
      userAgent: 'ua/1.0',
      at: new Date(at),
    })
    expect(JSON.parse(message.toString())).toEqual(JSON.parse(theirs))
  })

  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET, sessionToken: undefined }

  async function scopeFor(host: string, settings: Partial<AwsSettings> = {}, environment = {}): Promise<string> {
    const mechanism = mskIam(
      { mechanism: 'AWS_MSK_IAM', region: undefined, profile: undefined, credentials, ...settings },
      { timeoutMs: 1000, environment: { HOME: '/nowhere', ...environment } },
    )
    const conversation = await mechanism.prepare(host, new AbortController().signal)
    let scope = ''
    await conversation((message) => {
      scope = (JSON.parse(message.toString()) as { 'x-amz-credential': string })['x-amz-credential']
      return Promise.resolve(Buffer.alloc(0))
    })
    return scope.replace(/^AKIDEXAMPLE\/\d{8}\/|\/kafka-cluster.*$/g, '')
  }

  test.each([
    { name: 'as it is set', host: HOST, settings: { region: 'eu-west-3' }, want: 'eu-west-3' },
    { name: 'of the address', host: HOST, settings: {}, environment: { AWS_REGION: 'eu-west-3' }, want: 'us-east-1' },
    {
      name: 'of the address of a serverless cluster',
      host: 'boot-x.c1.kafka-serverless.ap-south-1.amazonaws.com',
      settings: {},
      want: 'ap-south-1',
    },
    {
      name: 'of an address in China',
      host: 'b-1.a.kafka.cn-north-1.amazonaws.com.cn',
      settings: {},
      want: 'cn-north-1',
    },
    {
      name: 'of the environment',
      host: 'proxy',
      settings: {},
      environment: { AWS_REGION: 'eu-west-3' },
      want: 'eu-west-3',
    },
  ])('has the region $name', async ({ host, settings, environment = {}, want }) => {
    expect(await scopeFor(host, settings, environment)).toBe(want)
  })

  test('is not made without a region', async () => {
    await expect(scopeFor('proxy')).rejects.toThrow(/the region is not known: set awsRegion or AWS_REGION/)
  })
})
