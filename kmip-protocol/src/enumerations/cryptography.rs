//! Enumerations of algorithms and their parameters. Rows in the order of their numbers (KMIP 2.1 §11 and the older specifications).

use crate::enumeration::enumeration;

enumeration! {
    /// Cryptographic Algorithm (KMIP 2.1 §11.12).
    CryptographicAlgorithm(CRYPTOGRAPHIC_ALGORITHM) {
        DES = 0x01 "DES";
        DES3 = 0x02 "3DES";
        AES = 0x03 "AES";
        RSA = 0x04 "RSA";
        DSA = 0x05 "DSA";
        ECDSA = 0x06 "ECDSA";
        HMAC_SHA1 = 0x07 "HMAC-SHA1";
        HMAC_SHA224 = 0x08 "HMAC-SHA224";
        HMAC_SHA256 = 0x09 "HMAC-SHA256";
        HMAC_SHA384 = 0x0A "HMAC-SHA384";
        HMAC_SHA512 = 0x0B "HMAC-SHA512";
        HMAC_MD5 = 0x0C "HMAC-MD5";
        DH = 0x0D "DH";
        ECDH = 0x0E "ECDH";
        ECMQV = 0x0F "ECMQV";
        Blowfish = 0x10 "Blowfish";
        Camellia = 0x11 "Camellia";
        CAST5 = 0x12 "CAST5";
        IDEA = 0x13 "IDEA";
        MARS = 0x14 "MARS";
        RC2 = 0x15 "RC2";
        RC4 = 0x16 "RC4";
        RC5 = 0x17 "RC5";
        SKIPJACK = 0x18 "SKIPJACK";
        Twofish = 0x19 "Twofish";
        EC = 0x1A "EC" [V1_2..];
        OneTimePad = 0x1B "One Time Pad" [V1_3..];
        ChaCha20 = 0x1C "ChaCha20" [V1_4..];
        Poly1305 = 0x1D "Poly1305" [V1_4..];
        ChaCha20Poly1305 = 0x1E "ChaCha20Poly1305" [V1_4..];
        SHA3_224 = 0x1F "SHA3-224" [V1_4..];
        SHA3_256 = 0x20 "SHA3-256" [V1_4..];
        SHA3_384 = 0x21 "SHA3-384" [V1_4..];
        SHA3_512 = 0x22 "SHA3-512" [V1_4..];
        HMAC_SHA3_224 = 0x23 "HMAC-SHA3-224" [V1_4..];
        HMAC_SHA3_256 = 0x24 "HMAC-SHA3-256" [V1_4..];
        HMAC_SHA3_384 = 0x25 "HMAC-SHA3-384" [V1_4..];
        HMAC_SHA3_512 = 0x26 "HMAC-SHA3-512" [V1_4..];
        SHAKE_128 = 0x27 "SHAKE-128" [V1_4..];
        SHAKE_256 = 0x28 "SHAKE-256" [V1_4..];
        ARIA = 0x29 "ARIA" [V2_0..];
        SEED = 0x2A "SEED" [V2_0..];
        SM2 = 0x2B "SM2" [V2_0..];
        SM3 = 0x2C "SM3" [V2_0..];
        SM4 = 0x2D "SM4" [V2_0..];
        GOSTR34_10_2012 = 0x2E "GOST R 34.10-2012" [V2_0..];
        GOSTR34_11_2012 = 0x2F "GOST R 34.11-2012" [V2_0..];
        GOSTR34_13_2015 = 0x30 "GOST R 34.13-2015" [V2_0..];
        GOST28147_89 = 0x31 "GOST 28147-89" [V2_0..];
        XMSS = 0x32 "XMSS" [V2_0..];
        SPHINCS_256 = 0x33 "SPHINCS-256" [V2_0..];
        McEliece = 0x34 "McEliece" [V2_0..];
        McEliece_6960119 = 0x35 "McEliece-6960119" [V2_0..];
        McEliece_8192128 = 0x36 "McEliece-8192128" [V2_0..];
        Ed25519 = 0x37 "Ed25519" [V2_0..];
        Ed448 = 0x38 "Ed448" [V2_0..];
    }

    /// Block Cipher Mode (KMIP 2.1 §11.6).
    BlockCipherMode(BLOCK_CIPHER_MODE) {
        CBC = 0x01 "CBC";
        ECB = 0x02 "ECB";
        PCBC = 0x03 "PCBC";
        CFB = 0x04 "CFB";
        OFB = 0x05 "OFB";
        CTR = 0x06 "CTR";
        CMAC = 0x07 "CMAC";
        CCM = 0x08 "CCM";
        GCM = 0x09 "GCM";
        CBC_MAC = 0x0A "CBC-MAC";
        XTS = 0x0B "XTS";
        AESKeyWrapPadding = 0x0C "AESKeyWrapPadding";
        NISTKeyWrap = 0x0D "NISTKeyWrap";
        X9_102AESKW = 0x0E "X9.102 AESKW";
        X9_102TDKW = 0x0F "X9.102 TDKW";
        X9_102AKW1 = 0x10 "X9.102 AKW1";
        X9_102AKW2 = 0x11 "X9.102 AKW2";
        AEAD = 0x12 "AEAD" [V1_4..];
    }

    /// Padding Method (KMIP 2.1 §11.37).
    PaddingMethod(PADDING_METHOD) {
        None = 0x01 "None";
        OAEP = 0x02 "OAEP";
        PKCS5 = 0x03 "PKCS5";
        SSL3 = 0x04 "SSL3";
        Zeros = 0x05 "Zeros";
        ANSIX9_23 = 0x06 "ANSI X9.23";
        ISO10126 = 0x07 "ISO 10126";
        PKCS1V1_5 = 0x08 "PKCS1 v1.5";
        X9_31 = 0x09 "X9.31";
        PSS = 0x0A "PSS";
    }

    /// Hashing Algorithm (KMIP 2.1 §11.21).
    HashingAlgorithm(HASHING_ALGORITHM) {
        MD2 = 0x01 "MD2";
        MD4 = 0x02 "MD4";
        MD5 = 0x03 "MD5";
        SHA_1 = 0x04 "SHA-1";
        SHA_224 = 0x05 "SHA-224";
        SHA_256 = 0x06 "SHA-256";
        SHA_384 = 0x07 "SHA-384";
        SHA_512 = 0x08 "SHA-512";
        RIPEMD_160 = 0x09 "RIPEMD-160";
        Tiger = 0x0A "Tiger";
        Whirlpool = 0x0B "Whirlpool";
        SHA_512_224 = 0x0C "SHA-512/224" [V1_2..];
        SHA_512_256 = 0x0D "SHA-512/256" [V1_2..];
        SHA3_224 = 0x0E "SHA3-224" [V1_4..] also "SHA_3_224";
        SHA3_256 = 0x0F "SHA3-256" [V1_4..] also "SHA_3_256";
        SHA3_384 = 0x10 "SHA3-384" [V1_4..] also "SHA_3_384";
        SHA3_512 = 0x11 "SHA3-512" [V1_4..] also "SHA_3_512";
    }

    /// Digital Signature Algorithm (KMIP 2.1 §11.16).
    DigitalSignatureAlgorithm(DIGITAL_SIGNATURE_ALGORITHM) {
        MD2WithRSAEncryption = 0x01 "MD2 with RSA Encryption" [V1_1..] also "MD2WithRSAEncryptionPKCS_1V1_5";
        MD5WithRSAEncryption = 0x02 "MD5 with RSA Encryption" [V1_1..] also "MD5WithRSAEncryptionPKCS_1V1_5";
        SHA_1WithRSAEncryption = 0x03 "SHA-1 with RSA Encryption" [V1_1..] also "SHA_1WithRSAEncryptionPKCS_1V1_5";
        SHA_224WithRSAEncryption = 0x04 "SHA-224 with RSA Encryption" [V1_1..] also "SHA_224WithRSAEncryptionPKCS_1V1_5";
        SHA_256WithRSAEncryption = 0x05 "SHA-256 with RSA Encryption" [V1_1..] also "SHA_256WithRSAEncryptionPKCS_1V1_5";
        SHA_384WithRSAEncryption = 0x06 "SHA-384 with RSA Encryption" [V1_1..] also "SHA_384WithRSAEncryptionPKCS_1V1_5";
        SHA_512WithRSAEncryption = 0x07 "SHA-512 with RSA Encryption" [V1_1..] also "SHA_512WithRSAEncryptionPKCS_1V1_5";
        RSASSA_PSS = 0x08 "RSASSA-PSS" [V1_1..] also "RSASSA_PSSPKCS_1V2_1";
        DSAWithSHA_1 = 0x09 "DSA with SHA-1" [V1_1..];
        DSAWithSHA224 = 0x0A "DSA with SHA224" [V1_1..];
        DSAWithSHA256 = 0x0B "DSA with SHA256" [V1_1..];
        ECDSAWithSHA_1 = 0x0C "ECDSA with SHA-1" [V1_1..];
        ECDSAWithSHA224 = 0x0D "ECDSA with SHA224" [V1_1..];
        ECDSAWithSHA256 = 0x0E "ECDSA with SHA256" [V1_1..];
        ECDSAWithSHA384 = 0x0F "ECDSA with SHA384" [V1_1..];
        ECDSAWithSHA512 = 0x10 "ECDSA with SHA512" [V1_1..];
        SHA3_256WithRSAEncryption = 0x11 "SHA3-256 with RSA Encryption" [V1_4..];
        SHA3_384WithRSAEncryption = 0x12 "SHA3-384 with RSA Encryption" [V1_4..];
        SHA3_512WithRSAEncryption = 0x13 "SHA3-512 with RSA Encryption" [V1_4..];
    }

    /// Mask Generator (KMIP 2.1 §11.30).
    MaskGenerator(MASK_GENERATOR) {
        MGF1 = 0x01 "MGF1" [V1_4..] also "MFG1";
    }

    /// Derivation Method (KMIP 2.1 §11.14).
    DerivationMethod(DERIVATION_METHOD) {
        PBKDF2 = 0x01 "PBKDF2";
        HASH = 0x02 "HASH";
        HMAC = 0x03 "HMAC";
        ENCRYPT = 0x04 "ENCRYPT";
        NIST800_108_C = 0x05 "NIST800-108-C";
        NIST800_108_F = 0x06 "NIST800-108-F";
        NIST800_108_DPI = 0x07 "NIST800-108-DPI";
        AsymmetricKey = 0x08 "Asymmetric Key" [V1_4..];
        AWSSignatureVersion4 = 0x09 "AWS Signature Version 4" [V2_0..];
        HKDF = 0x0A "HKDF" [V2_0..];
    }

    /// RNG Algorithm (KMIP 2.1 §11.49).
    RNGAlgorithm(RNG_ALGORITHM) {
        Unspecified = 0x01 "Unspecified" [V1_3..];
        FIPS186_2 = 0x02 "FIPS 186-2" [V1_3..];
        DRBG = 0x03 "DRBG" [V1_3..];
        NRBG = 0x04 "NRBG" [V1_3..];
        ANSIX9_31 = 0x05 "ANSI X9.31" [V1_3..];
        ANSIX9_62 = 0x06 "ANSI X9.62" [V1_3..];
    }

    /// DRBG Algorithm (KMIP 2.1 §11.17).
    DRBGAlgorithm(DRBG_ALGORITHM) {
        Unspecified = 0x01 "Unspecified" [V1_3..];
        Dual_EC = 0x02 "Dual-EC" [V1_3..];
        Hash = 0x03 "Hash" [V1_3..];
        HMAC = 0x04 "HMAC" [V1_3..];
        CTR = 0x05 "CTR" [V1_3..];
    }

    /// FIPS186 Variation (KMIP 2.1 §11.20).
    FIPS186Variation(FIPS186_VARIATION) {
        Unspecified = 0x01 "Unspecified" [V1_3..];
        GPXOriginal = 0x02 "GP x-Original" [V1_3..];
        GPXChangeNotice = 0x03 "GP x-Change Notice" [V1_3..];
        XOriginal = 0x04 "x-Original" [V1_3..];
        XChangeNotice = 0x05 "x-Change Notice" [V1_3..];
        KOriginal = 0x06 "k-Original" [V1_3..];
        KChangeNotice = 0x07 "k-Change Notice" [V1_3..];
    }
}
