// PUBLIC TEST KEYS. Their private halves are published with this package, so anybody can sign with them:
// a program that trusts them trusts the whole world. They are fixed because making an RSA key takes 60 to 290 ms,
// and a unit test should not wait for that. Because of them, createTestRealm() refuses to run in production.
import type { JsonWebKey } from 'node:crypto'
import { rsaKey } from './rsa-key.js'

/** The material of a key: RSA, an elliptic curve (RFC 7518 section 6.2.1.1) or Ed25519 (RFC 8037). */
export type KeyFamily = 'RSA' | 'P-256' | 'P-384' | 'P-521' | 'Ed25519'

/** The signing keys of a realm, in the order of rotations. Later rotations make new keys. */
export const FIXED_KEYS: Readonly<Record<KeyFamily, readonly JsonWebKey[]>> = {
  RSA: [rsaKey({
    p: '_9kH_xTDp2mS14T6Y253hTuuyJndgpgPQ-SNZVKNsktj1eQWW6wIWFRIK7LFQNYlwkLuLYS6VBNlWD9Z5xN1Z-J79Xq7KyGZ1nYuFMNG5HsxE8ZuFQ_iUWEBWMpCAiEPOlwXjftdUHN0gd0XvMDU_hd_oO8Lfn1ygq0kVxQOGAU',
    q: '4yNPCNjrROcvjzvXbRp9safHFMn4WB3dqqtUcJEcc1VmIYn5AmK_1qd8OXFX9Bh-NbTHvmr_IRfEW0shiePdElOZJT3DWRGXsAVNvY3pye2gqkBC3RGPr70CatGOcEwwi-205wWhG8uyb1mSdIKundwRVyakFQAnTTfotRkGp3s'
  }), rsaKey({
    p: '8imtSpqOj9bHTXB_DddqLFe4z2DQr7ig6dGRfNXtpLi8Ev2PfywnHFTgcgJQIR207VBO2OxuKj-GLz3buS2a19LnEeXcIMxYJxYtvKTTy3MOBvmeTWat0ZMxzsHre8wMVTLl3bvWgiBMrznNvpY7OpBIX37BKAp6xUU3Zjh2lPU',
    q: '4zP0y0mFTKdnGAObgtVpOr-ofBgcMhGORl5VIKEddbTNQwJwC6057D02hteZuHBsJc5Hqzw_jo0Yt4bRtAoj1_QdhTTGYztbUEBFfJfcgwo80MnWY2b-gItQlaelA09_i-QdoLJqknzZKc48gOmNNiBly6kAmLAUg1G7jkKFy28'
  })],
  'P-256': [{
    kty: 'EC',
    crv: 'P-256',
    x: 'JXmhkPd9syCVGHZ6MJyCpGS2mTlnkqvY9a9LpTnktJs',
    y: 'HbDGpMc-DeK-2npnCojCi-7UoBT5PQ49btEGAQh-azQ',
    d: 'sJ37FO5W4ikp6QTongyefIFzX3ugz-ufSVMFq_iqeQU'
  }],
  'P-384': [{
    kty: 'EC',
    crv: 'P-384',
    x: 'kjIyCnTSzwd8XENMthp_qP1KoWk-ZyaeXXrgNOdMgKSA-fvMOCPEiS0GDOTB8A7k',
    y: 'e7_9vylvFHyV3r-AjEoOoX631fXjrD5pm1iZqhWoOjtxCIvIicAQIr7kTNTCrUf0',
    d: '-X0qXKe3qnVVuqP7vK5AdiLij5HAx9wgi1pAEqco7qGoeLQd1IdZtY4cC7o_uY89'
  }],
  'P-521': [{
    kty: 'EC',
    crv: 'P-521',
    x: 'AeoahtJKJ-f8jhNtFMQsDRxViSWfmytb884OPJEMQ7ry7JVdwXsF2hkIb2mwQR4ABRo-vmbxjXdk4W1hzkIEKIKl',
    y: 'AJ_79yi2GCPt97PUtKoPGNdABGH_uF4rwiWlgZ--ztILFnpRJnUgb0QGw2hTXTiCoCfGuhEzMx9ol_hsyjQpAjqR',
    d: 'AP5Gq1qPoUISI-XfWle6PMx5N3mJ43xXt5SEyGzsHNLfuPTPchcnXjNgpa2kunxXy4TZIorp6vcFxJm_kp4bRAYR'
  }],
  Ed25519: [{
    kty: 'OKP',
    crv: 'Ed25519',
    x: 'dgTaaxKBMY1Fs6qaLIQRbEfa95CB95mrCLzoXneMVpU',
    d: '1nqKHH7VmKMncRUUqRwssYWyjmQPXNAUj-VmctG5Tx0'
  }]
}

/** The key of forged tokens, which no realm has. */
export const STRANGER: JsonWebKey = rsaKey({
  p: '68FQtrjstOHr7owkG8pcF-ZM5CR9tOawCpPijwZz08SoxClw7iBqmz7fwei6PVmqUxtVGrkk0WySEaGr_9XCwcEEI2MphMkRxisVKgiLB3PAx37XoXWSqZPyctvaNIr4OkijZ_6xiH_Bzu7ql_dSCnn5dqCW84achQ20FfRKss8',
  q: 'u2vXXFnucISizpnAHezlw1pHBH49MezMRn7Y05zuSG9cEuLUOddYw_UXhm0vAHeDld8BVzE5ObHh4vkCc4cokpGQlJW9fDSPPt8uzYcO-GHR7DVO6LJW1fOb-fR_eL-nHi7U6tsQ2wETrwhDN9i-PoK4-wIp8KCZgIugMEX2aNM'
})
