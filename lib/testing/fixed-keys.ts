// PUBLIC TEST KEYS. Their private halves are published with this package, so anybody can sign with them:
// a program that trusts them trusts the whole world. They are fixed because making an RSA key takes 60 to 290 ms,
// and a unit test should not wait for that. Because of them, createTestRealm() refuses to run in production.
import type { JsonWebKey } from 'node:crypto'

/** The material of a key: RSA, an elliptic curve (RFC 7518 section 6.2.1.1) or Ed25519 (RFC 8037). */
export type KeyFamily = 'RSA' | 'P-256' | 'P-384' | 'P-521' | 'Ed25519'

/** The signing keys of a realm, in the order of rotations. Later rotations make new keys. */
export const FIXED_KEYS: Readonly<Record<KeyFamily, readonly JsonWebKey[]>> = {
  RSA: [{
    kty: 'RSA',
    n: '4wC7wBhTi2nKlhoLYXOgAiI7iZ5e_9EWcQjsHVH5SkeNOXVHo-a7pLGzRKpgvdXAzblAS2yX4WPVfNBSC92FlqsVO7TsOOIdLYZQwUFwJnRWKaRyUK6nvYlb28OiAIK_Q0WmRA_2viCV3Ti70z8PCxHXaef3wqtC-gfQJrX2fDjrik1RzCbhsF-7H4WEQGcZ1yFyotzAWWP4yf1xZdCL7owdqVF0V-Jr1vu7LQxB6hDLD-gUGSntDdemMrQuuCHwG2QgR023rCFbM7nRMBirCfi99XFuj3lMN8ghrn4s-X4e_ELLuUElKeccP9lEslnFJgL7orCzwqC0s6Ah4Y7NZw',
    e: 'AQAB',
    d: 'ApQpDdsY494NS5w7Id3G5Q9PftY6PQy6hQk1aXXbb6EVdSAkcrO10P6lyzNmSvHJMW0X0mOG7CwOqk7Rh8n58Qa7hISfJFxJOZGrjC56oC01J17zX4BEbo5HaV01E21oz9JUO7S0uF81ZKB23cT7HkSTHmRgt6jrZ1y8XBw4Exwq8DXqi-jv9Cic40CGW6CjE-KQnPkuladOCe_zWcym395DQewTxbvTEih0RUC19Is9cKptM19QNVaFiayvVyfkLnkx1nf7HTYYRAmMQir_fzMquCMepr9VdpL5AJxRoLM6nbhjbs9vO1d4ha-vuFQdfrG14Z2wKKiV49Te68BxNQ',
    p: '_9kH_xTDp2mS14T6Y253hTuuyJndgpgPQ-SNZVKNsktj1eQWW6wIWFRIK7LFQNYlwkLuLYS6VBNlWD9Z5xN1Z-J79Xq7KyGZ1nYuFMNG5HsxE8ZuFQ_iUWEBWMpCAiEPOlwXjftdUHN0gd0XvMDU_hd_oO8Lfn1ygq0kVxQOGAU',
    q: '4yNPCNjrROcvjzvXbRp9safHFMn4WB3dqqtUcJEcc1VmIYn5AmK_1qd8OXFX9Bh-NbTHvmr_IRfEW0shiePdElOZJT3DWRGXsAVNvY3pye2gqkBC3RGPr70CatGOcEwwi-205wWhG8uyb1mSdIKundwRVyakFQAnTTfotRkGp3s',
    dp: 'DVLrJLCbI9vOpuSo-YamOM0L5CyHKabrnJiJeI5dDLz6XQg81ddWs-rnu0bbGO5OFxjPOJWh8oD0FS1vbCZKRfe4huc2Wh-s2EtdSP2Gcp2rx6Dc2MH0AlLv9ATMfTnlhh-HpoBBss_gcGboNo9ASF9G6UWprpOv4_hKXTKRLVU',
    dq: 'aOqmVy_bfLhM_5xkpcDWznjxPGkOjaU9_tek6VoeCigoRNW2b6OteTlj6CSyu82UfrpCiXJi5qZTzNenZkoak5yJ4Onmkf3OU0Af6K7kjqF01S9Zs0OpW0OzGiQx5y1KP1hNd2jiQjSU91oojCjQ_5nnaJowsIKhpMludDhbGoE',
    qi: 'oi3qgVny0I0HTrLjV09FYK7ZnI7T3XW9fE8c69y3RAy2OdKR_uFj_DAWehsCEJ2JdlKFUix6rgVadqB77j5cDdfG_Y5HKGRaX0Rg-EyOW7ozb8n1N6gakiv3WePkX3ZT8R3g3zcXiHQtgzKLHN9DD4IcoJ6mwHOPKQQnip6ocHU'
  }, {
    kty: 'RSA',
    n: '1uwahrKss_6SpMUg5on7B1Q0TYqDUU7qJYkzYEruwlZUI9s52P7PpSrJSqrGRLD7zPLbYQ4Hw9vJYFAQcgeisRbfWohYglliJr9BInP7FNlP86RsUaBGNGHLm8DXIUjoNeQqavAeDddLL_mG14_X3968biIKz4wXL9B5fz3kwXCMv5Q2rlXGLv7kuFPF7gJwybGqkfn3PtyREgExztGJSNOwxs8dxrl5SOiZ71wfLPkX6J65Yzw-NOXrjAZxQ9EmDX8Y4i1G1E_iUH-Q4C8B2swpfoxZ4WT1ZIgEht4LSogrvtXIQyORMl17DPl_3FkcXKmqB8yNP7v_tZMBENHdOw',
    e: 'AQAB',
    d: 'A3LnJhGIm0bS3EQG4swvXrm828sE5RwgE8Qfh-8L5SB02d0du4azQaeYcqifj-CghHRtOCHSgWkYfSwrvLi0pU-EUV6Yv6wRhXpSNZb-M3fH7v_3dlkyZzVz3_xN4iHaYBWuPJMSgw8Dt4cIi-hUrX9UhME_wn7cAboVs7NZkA-9GkbuvHAnAN2yUnTx5CmOEpzJjzcE3h9zdjgOTgOdfyAH_uK719qFzIPmqC0c7Y9H3GTEqJDllnvKmYGrLUpqjXelIipENVED7R6flWcQwnJdzmPIecw1CohH6SXNFxVDWW1oHpDChl54gh3DaaOErbjWcLVGUj4ac3-xVAIzWQ',
    p: '8imtSpqOj9bHTXB_DddqLFe4z2DQr7ig6dGRfNXtpLi8Ev2PfywnHFTgcgJQIR207VBO2OxuKj-GLz3buS2a19LnEeXcIMxYJxYtvKTTy3MOBvmeTWat0ZMxzsHre8wMVTLl3bvWgiBMrznNvpY7OpBIX37BKAp6xUU3Zjh2lPU',
    q: '4zP0y0mFTKdnGAObgtVpOr-ofBgcMhGORl5VIKEddbTNQwJwC6057D02hteZuHBsJc5Hqzw_jo0Yt4bRtAoj1_QdhTTGYztbUEBFfJfcgwo80MnWY2b-gItQlaelA09_i-QdoLJqknzZKc48gOmNNiBly6kAmLAUg1G7jkKFy28',
    dp: 'kNXGdHFeRL9jsnhPNVsagGzy9u1jw0V80HvsNSrKGJP4wK7wzVH-Dl7hYq7pd_UJikpW7jzyYshdnBG2Qdn5242jcDv3XZJ6Qt5r-oDmv68Pu7I-MPLxkQAlcRDgo8lVsvtfKjA3StrAoqjC2nOF9y_maV8pbaZe6W_Ng5DPs6U',
    dq: 'J1kaLhK_iTT8v8XwKsp2_PuwXD14tJshvsIbkBkXFwmG-vHzIbKQc39ucA_qyWx-7lU5SEiY4UFCZJZuvvV6m63lZupq6UigWdensRpD0FX3jllGTdTKgsyd2i08gMRF3J5XGzuLBW-l1H2pMNJB6HvX5VuRhOAJzWxcRRj0PvU',
    qi: 'kUScdmWxgdgKASBRUV416geH4cu4zQoI9XbCojq0BoHhkxW8bF5_shMJO_LJkNtQGLCJfOnn6qrzzrv4WM96c4WPA_uhqZYtxIETQbslbkadL_UXGxM38LyL8vPxb97S-C02kmn_z0UCo-TspFUrwqspFxwvykF81wqi0Ty3pcA'
  }],
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
export const STRANGER: JsonWebKey = {
  kty: 'RSA',
  n: 'rJmGFpyIdHEr1fm0vOfn012L6z4gGbrJUsaTgRG1ohC8uHZnET4-TKRwmwgoI3iwiLH0PCWYkKaphAzSr9GVusRU6JrfuiRNr_LVxT9Qgn36DnqGM1CwC_KhffAzMKF8o29x6jOta4bUH_47YN-_gMuhBJ3iCgJpoxpw2bs62Jp2mM9jaer2ZR9bCuzsXrAHkK2vThbAh-AAKep55AP-5SqYBGSMmmMYTVR9S0Z2Ei5IlaM12RuKDegnl2I_Xk9HePWDE3hvuYoo89ionUW082RcKSjvZieWz6uR-9leGNLaCKH4SyGNAFPfCjySZUGTOj6PDqJSzj5HjSIgUB94nQ',
  e: 'AQAB',
  d: 'DAjnEkaMi99O7ixAz6Hf8UX8OUVArxVDb7525IYGmIFQQhByHqqsug1b6K4d67NA-UG8mkEI1_U3AVp037DedC0ND-xUnexlb6z1U5FBnN0J2t6XjZZvtWA6pccM2rQ34PF8C5eE3RLZUaMZeCdseUo5ilKJQ1ITFD4GEQ3UDEGYx5SIA-S6GYtIkdgUakZCrWckCijCZP3vuc8dG52Yv-oLqta4M_qtHmP4YFoapQr7SknaU5g_nz9b8BuH-wTWxx3yq4HpKw3A5PWVjt130yzI8Te0itgrfr9sKxH2kw-BAPfawwKeqHbNxVVpzfCnkOO8iBwqP1f9DpyTkKN2RQ',
  p: '68FQtrjstOHr7owkG8pcF-ZM5CR9tOawCpPijwZz08SoxClw7iBqmz7fwei6PVmqUxtVGrkk0WySEaGr_9XCwcEEI2MphMkRxisVKgiLB3PAx37XoXWSqZPyctvaNIr4OkijZ_6xiH_Bzu7ql_dSCnn5dqCW84achQ20FfRKss8',
  q: 'u2vXXFnucISizpnAHezlw1pHBH49MezMRn7Y05zuSG9cEuLUOddYw_UXhm0vAHeDld8BVzE5ObHh4vkCc4cokpGQlJW9fDSPPt8uzYcO-GHR7DVO6LJW1fOb-fR_eL-nHi7U6tsQ2wETrwhDN9i-PoK4-wIp8KCZgIugMEX2aNM',
  dp: 'g4jfFKOGhcFLFlQgTVURHtCCdAOcE1NmQvCRxkTOWQfvNUr91A5IDIf-5byINHSToDyutfM4hJPzx1yRj3Lfb6TWPzwzTP-2J_-flk0f7K97jpLJki77_hsqeUUKsKgcqMAgU4R53vOQ2XjZcKIvpuK4-aPNtN-U8nNb16fuCWc',
  dq: 'dITPFzMx8fID5b3gmro0_gaaMEjrcqZtOUaTNrxRx-azr2ol1u_y16EARyqKFhg3Tm2eP77yfNQCQ0HcLEbTCoxE_ps5eoaSp9vJFS3qOLFX-SoLLM_y_IC_b955gXBlTXaAGKKpD_7TZfYVFBtD60kKB8OIn3i49hnYNSrJztE',
  qi: 'bh-8QevuMB6k3imqUOIpMg-Z5F--qPuukunnq4aDycQUwa9Zmjx6wmCQ0gX6jq6ytKP97-h4Jdt2DR4ZfIWirA3rSSegDpLgkkgUx2XfiFtwfmGyXnqOtRztciOs1US7wyp8HTgQzrPPkLfDX_hTZJ7V6tUb79AbDrDhGwGAjpU'
}
