//! Enumerations of key blocks, key formats and wrapping. Rows in the order of their numbers (KMIP 2.1 §11 and the older specifications).

use crate::enumeration::enumeration;

enumeration! {
    /// Key Format Type (KMIP 2.1 §11.25).
    KeyFormatType(KEY_FORMAT_TYPE) {
        Raw = 0x01 "Raw";
        Opaque = 0x02 "Opaque";
        PKCS_1 = 0x03 "PKCS#1";
        PKCS_8 = 0x04 "PKCS#8";
        X_509 = 0x05 "X.509";
        ECPrivateKey = 0x06 "ECPrivateKey";
        TransparentSymmetricKey = 0x07 "Transparent Symmetric Key";
        TransparentDSAPrivateKey = 0x08 "Transparent DSA Private Key";
        TransparentDSAPublicKey = 0x09 "Transparent DSA Public Key";
        TransparentRSAPrivateKey = 0x0A "Transparent RSA Private Key";
        TransparentRSAPublicKey = 0x0B "Transparent RSA Public Key";
        TransparentDHPrivateKey = 0x0C "Transparent DH Private Key";
        TransparentDHPublicKey = 0x0D "Transparent DH Public Key";
        TransparentECDSAPrivateKey = 0x0E "Transparent ECDSA Private Key" [..=V1_4];
        TransparentECDSAPublicKey = 0x0F "Transparent ECDSA Public Key" [..=V1_4];
        TransparentECDHPrivateKey = 0x10 "Transparent ECDH Private Key" [..=V1_4];
        TransparentECDHPublicKey = 0x11 "Transparent ECDH Public Key" [..=V1_4];
        TransparentECMQVPrivateKey = 0x12 "Transparent ECMQV Private Key" [..=V1_4];
        TransparentECMQVPublicKey = 0x13 "Transparent ECMQV Public Key" [..=V1_4];
        TransparentECPrivateKey = 0x14 "Transparent EC Private Key" [V1_3..];
        TransparentECPublicKey = 0x15 "Transparent EC Public Key" [V1_3..];
        PKCS_12 = 0x16 "PKCS#12" [V1_4..];
        PKCS_10 = 0x17 "PKCS#10" [V2_0..];
    }

    /// Key Compression Type (KMIP 2.1 §11.24).
    KeyCompressionType(KEY_COMPRESSION_TYPE) {
        ECPublicKeyTypeUncompressed = 0x01 "EC Public Key Type Uncompressed";
        ECPublicKeyTypeX9_62CompressedPrime = 0x02 "EC Public Key Type X9.62 Compressed Prime";
        ECPublicKeyTypeX9_62CompressedChar2 = 0x03 "EC Public Key Type X9.62 Compressed Char2";
        ECPublicKeyTypeX9_62Hybrid = 0x04 "EC Public Key Type X9.62 Hybrid";
    }

    /// Key Role Type (KMIP 2.1 §11.26).
    KeyRoleType(KEY_ROLE_TYPE) {
        BDK = 0x01 "BDK";
        CVK = 0x02 "CVK";
        DEK = 0x03 "DEK";
        MKAC = 0x04 "MKAC";
        MKSMC = 0x05 "MKSMC";
        MKSMI = 0x06 "MKSMI";
        MKDAC = 0x07 "MKDAC";
        MKDN = 0x08 "MKDN";
        MKCP = 0x09 "MKCP";
        MKOTH = 0x0A "MKOTH";
        KEK = 0x0B "KEK";
        MAC16609 = 0x0C "MAC16609";
        MAC97971 = 0x0D "MAC97971";
        MAC97972 = 0x0E "MAC97972";
        MAC97973 = 0x0F "MAC97973";
        MAC97974 = 0x10 "MAC97974";
        MAC97975 = 0x11 "MAC97975";
        ZPK = 0x12 "ZPK";
        PVKIBM = 0x13 "PVKIBM";
        PVKPVV = 0x14 "PVKPVV";
        PVKOTH = 0x15 "PVKOTH";
        DUKPT = 0x16 "DUKPT" [V1_4..];
        IV = 0x17 "IV" [V1_4..];
        TRKBK = 0x18 "TRKBK" [V1_4..];
    }

    /// Key Wrap Type (KMIP 2.1 §11.29).
    KeyWrapType(KEY_WRAP_TYPE) {
        NotWrapped = 0x01 "Not Wrapped" [V1_4..];
        AsRegistered = 0x02 "As Registered" [V1_4..];
    }

    /// Wrapping Method (KMIP 2.1 §11.62).
    WrappingMethod(WRAPPING_METHOD) {
        Encrypt = 0x01 "Encrypt";
        MACSign = 0x02 "MAC/sign";
        EncryptThenMACSign = 0x03 "Encrypt then MAC/sign";
        MACSignThenEncrypt = 0x04 "MAC/sign then encrypt";
        TR_31 = 0x05 "TR-31";
    }

    /// Encoding Option (KMIP 2.1 §11.18).
    EncodingOption(ENCODING_OPTION) {
        NoEncoding = 0x01 "No Encoding" [V1_1..];
        TTLVEncoding = 0x02 "TTLV Encoding" [V1_1..];
    }
}
