//! Tags: the numbers of items, with their names and the versions that have them (KMIP 2.1 §11.56 and the older specifications).
//!
//! A row is `CONSTANT Name = number "Name in the specification" [versions];`. `Name` is the normalised name of XML and
//! JSON; the specification's name is also the Attribute Name of 1.x.

use crate::version::{Versions, versions};
use kmip_ttlv::Tag;

macro_rules! tags {
    ($($constant:ident $name:ident = $value:literal $spec:literal $([$($range:tt)+])? ;)+) => {
        $(
            #[doc = $spec]
            pub const $constant: Tag = Tag($value);
        )+

        /// Every tag, in the order of the numbers.
        pub const ALL: &[Tag] = &[$($constant),+];

        /// The name of a tag in XML and JSON.
        #[must_use]
        pub const fn name(tag: Tag) -> Option<&'static str> {
            match tag.0 {
                $($value => Some(stringify!($name)),)+
                _ => None,
            }
        }

        /// The name of a tag in the text of the specification, which is also the Attribute Name of 1.x.
        #[must_use]
        pub const fn specification_name(tag: Tag) -> Option<&'static str> {
            match tag.0 {
                $($value => Some($spec),)+
                _ => None,
            }
        }

        /// The tag with this name in XML and JSON.
        #[must_use]
        pub fn from_name(name: &str) -> Option<Tag> {
            match name {
                $(stringify!($name) => Some($constant),)+
                _ => None,
            }
        }

        /// The tag with this name in the text of the specification.
        #[must_use]
        pub fn from_specification_name(name: &str) -> Option<Tag> {
            match name {
                $($spec => Some($constant),)+
                _ => None,
            }
        }

        /// The versions that have this tag.
        #[must_use]
        pub const fn versions(tag: Tag) -> Option<Versions> {
            match tag.0 {
                $($value => Some(versions!($($($range)+)?)),)+
                _ => None,
            }
        }
    };
}

tags! {
    ACTIVATION_DATE ActivationDate = 0x420001 "Activation Date";
    APPLICATION_DATA ApplicationData = 0x420002 "Application Data";
    APPLICATION_NAMESPACE ApplicationNamespace = 0x420003 "Application Namespace";
    APPLICATION_SPECIFIC_INFORMATION ApplicationSpecificInformation = 0x420004 "Application Specific Information";
    ARCHIVE_DATE ArchiveDate = 0x420005 "Archive Date";
    ASYNCHRONOUS_CORRELATION_VALUE AsynchronousCorrelationValue = 0x420006 "Asynchronous Correlation Value";
    ASYNCHRONOUS_INDICATOR AsynchronousIndicator = 0x420007 "Asynchronous Indicator";
    ATTRIBUTE Attribute = 0x420008 "Attribute";
    ATTRIBUTE_INDEX AttributeIndex = 0x420009 "Attribute Index" [..=V1_4];
    ATTRIBUTE_NAME AttributeName = 0x42000A "Attribute Name";
    ATTRIBUTE_VALUE AttributeValue = 0x42000B "Attribute Value";
    AUTHENTICATION Authentication = 0x42000C "Authentication";
    BATCH_COUNT BatchCount = 0x42000D "Batch Count";
    BATCH_ERROR_CONTINUATION_OPTION BatchErrorContinuationOption = 0x42000E "Batch Error Continuation Option";
    BATCH_ITEM BatchItem = 0x42000F "Batch Item";
    BATCH_ORDER_OPTION BatchOrderOption = 0x420010 "Batch Order Option";
    BLOCK_CIPHER_MODE BlockCipherMode = 0x420011 "Block Cipher Mode";
    CANCELLATION_RESULT CancellationResult = 0x420012 "Cancellation Result";
    CERTIFICATE Certificate = 0x420013 "Certificate";
    CERTIFICATE_IDENTIFIER CertificateIdentifier = 0x420014 "Certificate Identifier" [..=V1_0];
    CERTIFICATE_ISSUER CertificateIssuer = 0x420015 "Certificate Issuer" [..=V1_0];
    CERTIFICATE_ISSUER_ALTERNATIVE_NAME CertificateIssuerAlternativeName = 0x420016 "Certificate Issuer Alternative Name" [..=V1_0];
    CERTIFICATE_ISSUER_DISTINGUISHED_NAME CertificateIssuerDistinguishedName = 0x420017 "Certificate Issuer Distinguished Name" [..=V1_0];
    CERTIFICATE_REQUEST CertificateRequest = 0x420018 "Certificate Request";
    CERTIFICATE_REQUEST_TYPE CertificateRequestType = 0x420019 "Certificate Request Type";
    CERTIFICATE_SUBJECT CertificateSubject = 0x42001A "Certificate Subject" [..=V1_0];
    CERTIFICATE_SUBJECT_ALTERNATIVE_NAME CertificateSubjectAlternativeName = 0x42001B "Certificate Subject Alternative Name" [..=V1_0];
    CERTIFICATE_SUBJECT_DISTINGUISHED_NAME CertificateSubjectDistinguishedName = 0x42001C "Certificate Subject Distinguished Name" [..=V1_0];
    CERTIFICATE_TYPE CertificateType = 0x42001D "Certificate Type";
    CERTIFICATE_VALUE CertificateValue = 0x42001E "Certificate Value";
    COMMON_TEMPLATE_ATTRIBUTE CommonTemplateAttribute = 0x42001F "Common Template-Attribute" [..=V1_4];
    COMPROMISE_DATE CompromiseDate = 0x420020 "Compromise Date";
    COMPROMISE_OCCURRENCE_DATE CompromiseOccurrenceDate = 0x420021 "Compromise Occurrence Date";
    CONTACT_INFORMATION ContactInformation = 0x420022 "Contact Information";
    CREDENTIAL Credential = 0x420023 "Credential";
    CREDENTIAL_TYPE CredentialType = 0x420024 "Credential Type";
    CREDENTIAL_VALUE CredentialValue = 0x420025 "Credential Value";
    CRITICALITY_INDICATOR CriticalityIndicator = 0x420026 "Criticality Indicator";
    CRT_COEFFICIENT CRTCoefficient = 0x420027 "CRT Coefficient";
    CRYPTOGRAPHIC_ALGORITHM CryptographicAlgorithm = 0x420028 "Cryptographic Algorithm";
    CRYPTOGRAPHIC_DOMAIN_PARAMETERS CryptographicDomainParameters = 0x420029 "Cryptographic Domain Parameters";
    CRYPTOGRAPHIC_LENGTH CryptographicLength = 0x42002A "Cryptographic Length";
    CRYPTOGRAPHIC_PARAMETERS CryptographicParameters = 0x42002B "Cryptographic Parameters";
    CRYPTOGRAPHIC_USAGE_MASK CryptographicUsageMask = 0x42002C "Cryptographic Usage Mask";
    CUSTOM_ATTRIBUTE CustomAttribute = 0x42002D "Custom Attribute" [..=V1_4];
    D D = 0x42002E "D";
    DEACTIVATION_DATE DeactivationDate = 0x42002F "Deactivation Date";
    DERIVATION_DATA DerivationData = 0x420030 "Derivation Data";
    DERIVATION_METHOD DerivationMethod = 0x420031 "Derivation Method";
    DERIVATION_PARAMETERS DerivationParameters = 0x420032 "Derivation Parameters";
    DESTROY_DATE DestroyDate = 0x420033 "Destroy Date";
    DIGEST Digest = 0x420034 "Digest";
    DIGEST_VALUE DigestValue = 0x420035 "Digest Value";
    ENCRYPTION_KEY_INFORMATION EncryptionKeyInformation = 0x420036 "Encryption Key Information";
    G G = 0x420037 "G";
    HASHING_ALGORITHM HashingAlgorithm = 0x420038 "Hashing Algorithm";
    INITIAL_DATE InitialDate = 0x420039 "Initial Date";
    INITIALIZATION_VECTOR InitializationVector = 0x42003A "Initialization Vector";
    ISSUER Issuer = 0x42003B "Issuer" [..=V1_0];
    ITERATION_COUNT IterationCount = 0x42003C "Iteration Count";
    IV_COUNTER_NONCE IVCounterNonce = 0x42003D "IV/Counter/Nonce";
    J J = 0x42003E "J";
    KEY Key = 0x42003F "Key";
    KEY_BLOCK KeyBlock = 0x420040 "Key Block";
    KEY_COMPRESSION_TYPE KeyCompressionType = 0x420041 "Key Compression Type";
    KEY_FORMAT_TYPE KeyFormatType = 0x420042 "Key Format Type";
    KEY_MATERIAL KeyMaterial = 0x420043 "Key Material";
    KEY_PART_IDENTIFIER KeyPartIdentifier = 0x420044 "Key Part Identifier";
    KEY_VALUE KeyValue = 0x420045 "Key Value";
    KEY_WRAPPING_DATA KeyWrappingData = 0x420046 "Key Wrapping Data";
    KEY_WRAPPING_SPECIFICATION KeyWrappingSpecification = 0x420047 "Key Wrapping Specification";
    LAST_CHANGE_DATE LastChangeDate = 0x420048 "Last Change Date";
    LEASE_TIME LeaseTime = 0x420049 "Lease Time";
    LINK Link = 0x42004A "Link";
    LINK_TYPE LinkType = 0x42004B "Link Type";
    LINKED_OBJECT_IDENTIFIER LinkedObjectIdentifier = 0x42004C "Linked Object Identifier";
    MAC_SIGNATURE MACSignature = 0x42004D "MAC/Signature";
    MAC_SIGNATURE_KEY_INFORMATION MACSignatureKeyInformation = 0x42004E "MAC/Signature Key Information";
    MAXIMUM_ITEMS MaximumItems = 0x42004F "Maximum Items";
    MAXIMUM_RESPONSE_SIZE MaximumResponseSize = 0x420050 "Maximum Response Size";
    MESSAGE_EXTENSION MessageExtension = 0x420051 "Message Extension";
    MODULUS Modulus = 0x420052 "Modulus";
    NAME Name = 0x420053 "Name";
    NAME_TYPE NameType = 0x420054 "Name Type";
    NAME_VALUE NameValue = 0x420055 "Name Value";
    OBJECT_GROUP ObjectGroup = 0x420056 "Object Group";
    OBJECT_TYPE ObjectType = 0x420057 "Object Type";
    OFFSET Offset = 0x420058 "Offset";
    OPAQUE_DATA_TYPE OpaqueDataType = 0x420059 "Opaque Data Type";
    OPAQUE_DATA_VALUE OpaqueDataValue = 0x42005A "Opaque Data Value";
    OPAQUE_OBJECT OpaqueObject = 0x42005B "Opaque Object";
    OPERATION Operation = 0x42005C "Operation";
    OPERATION_POLICY_NAME OperationPolicyName = 0x42005D "Operation Policy Name" [..=V1_2];
    P P = 0x42005E "P";
    PADDING_METHOD PaddingMethod = 0x42005F "Padding Method";
    PRIME_EXPONENT_P PrimeExponentP = 0x420060 "Prime Exponent P";
    PRIME_EXPONENT_Q PrimeExponentQ = 0x420061 "Prime Exponent Q";
    PRIME_FIELD_SIZE PrimeFieldSize = 0x420062 "Prime Field Size";
    PRIVATE_EXPONENT PrivateExponent = 0x420063 "Private Exponent";
    PRIVATE_KEY PrivateKey = 0x420064 "Private Key";
    PRIVATE_KEY_TEMPLATE_ATTRIBUTE PrivateKeyTemplateAttribute = 0x420065 "Private Key Template-Attribute" [..=V1_4];
    PRIVATE_KEY_UNIQUE_IDENTIFIER PrivateKeyUniqueIdentifier = 0x420066 "Private Key Unique Identifier";
    PROCESS_START_DATE ProcessStartDate = 0x420067 "Process Start Date";
    PROTECT_STOP_DATE ProtectStopDate = 0x420068 "Protect Stop Date";
    PROTOCOL_VERSION ProtocolVersion = 0x420069 "Protocol Version";
    PROTOCOL_VERSION_MAJOR ProtocolVersionMajor = 0x42006A "Protocol Version Major";
    PROTOCOL_VERSION_MINOR ProtocolVersionMinor = 0x42006B "Protocol Version Minor";
    PUBLIC_EXPONENT PublicExponent = 0x42006C "Public Exponent";
    PUBLIC_KEY PublicKey = 0x42006D "Public Key";
    PUBLIC_KEY_TEMPLATE_ATTRIBUTE PublicKeyTemplateAttribute = 0x42006E "Public Key Template-Attribute" [..=V1_4];
    PUBLIC_KEY_UNIQUE_IDENTIFIER PublicKeyUniqueIdentifier = 0x42006F "Public Key Unique Identifier";
    PUT_FUNCTION PutFunction = 0x420070 "Put Function";
    Q Q = 0x420071 "Q";
    Q_STRING QString = 0x420072 "Q String";
    QLENGTH Qlength = 0x420073 "Qlength";
    QUERY_FUNCTION QueryFunction = 0x420074 "Query Function";
    RECOMMENDED_CURVE RecommendedCurve = 0x420075 "Recommended Curve";
    REPLACED_UNIQUE_IDENTIFIER ReplacedUniqueIdentifier = 0x420076 "Replaced Unique Identifier";
    REQUEST_HEADER RequestHeader = 0x420077 "Request Header";
    REQUEST_MESSAGE RequestMessage = 0x420078 "Request Message";
    REQUEST_PAYLOAD RequestPayload = 0x420079 "Request Payload";
    RESPONSE_HEADER ResponseHeader = 0x42007A "Response Header";
    RESPONSE_MESSAGE ResponseMessage = 0x42007B "Response Message";
    RESPONSE_PAYLOAD ResponsePayload = 0x42007C "Response Payload";
    RESULT_MESSAGE ResultMessage = 0x42007D "Result Message";
    RESULT_REASON ResultReason = 0x42007E "Result Reason";
    RESULT_STATUS ResultStatus = 0x42007F "Result Status";
    REVOCATION_MESSAGE RevocationMessage = 0x420080 "Revocation Message";
    REVOCATION_REASON RevocationReason = 0x420081 "Revocation Reason";
    REVOCATION_REASON_CODE RevocationReasonCode = 0x420082 "Revocation Reason Code";
    KEY_ROLE_TYPE KeyRoleType = 0x420083 "Key Role Type";
    SALT Salt = 0x420084 "Salt";
    SECRET_DATA SecretData = 0x420085 "Secret Data";
    SECRET_DATA_TYPE SecretDataType = 0x420086 "Secret Data Type";
    SERIAL_NUMBER SerialNumber = 0x420087 "Serial Number" [..=V1_0];
    SERVER_INFORMATION ServerInformation = 0x420088 "Server Information";
    SPLIT_KEY SplitKey = 0x420089 "Split Key";
    SPLIT_KEY_METHOD SplitKeyMethod = 0x42008A "Split Key Method";
    SPLIT_KEY_PARTS SplitKeyParts = 0x42008B "Split Key Parts";
    SPLIT_KEY_THRESHOLD SplitKeyThreshold = 0x42008C "Split Key Threshold";
    STATE State = 0x42008D "State";
    STORAGE_STATUS_MASK StorageStatusMask = 0x42008E "Storage Status Mask";
    SYMMETRIC_KEY SymmetricKey = 0x42008F "Symmetric Key";
    TEMPLATE Template = 0x420090 "Template" [..=V1_4];
    TEMPLATE_ATTRIBUTE TemplateAttribute = 0x420091 "Template-Attribute" [..=V1_4];
    TIME_STAMP TimeStamp = 0x420092 "Time Stamp";
    UNIQUE_BATCH_ITEM_ID UniqueBatchItemID = 0x420093 "Unique Batch Item ID";
    UNIQUE_IDENTIFIER UniqueIdentifier = 0x420094 "Unique Identifier";
    USAGE_LIMITS UsageLimits = 0x420095 "Usage Limits";
    USAGE_LIMITS_COUNT UsageLimitsCount = 0x420096 "Usage Limits Count";
    USAGE_LIMITS_TOTAL UsageLimitsTotal = 0x420097 "Usage Limits Total";
    USAGE_LIMITS_UNIT UsageLimitsUnit = 0x420098 "Usage Limits Unit";
    USERNAME Username = 0x420099 "Username";
    VALIDITY_DATE ValidityDate = 0x42009A "Validity Date";
    VALIDITY_INDICATOR ValidityIndicator = 0x42009B "Validity Indicator";
    VENDOR_EXTENSION VendorExtension = 0x42009C "Vendor Extension";
    VENDOR_IDENTIFICATION VendorIdentification = 0x42009D "Vendor Identification";
    WRAPPING_METHOD WrappingMethod = 0x42009E "Wrapping Method";
    X X = 0x42009F "X";
    Y Y = 0x4200A0 "Y";
    PASSWORD Password = 0x4200A1 "Password";
    DEVICE_IDENTIFIER DeviceIdentifier = 0x4200A2 "Device Identifier" [V1_1..];
    ENCODING_OPTION EncodingOption = 0x4200A3 "Encoding Option" [V1_1..];
    EXTENSION_INFORMATION ExtensionInformation = 0x4200A4 "Extension Information" [V1_1..];
    EXTENSION_NAME ExtensionName = 0x4200A5 "Extension Name" [V1_1..];
    EXTENSION_TAG ExtensionTag = 0x4200A6 "Extension Tag" [V1_1..];
    EXTENSION_TYPE ExtensionType = 0x4200A7 "Extension Type" [V1_1..];
    FRESH Fresh = 0x4200A8 "Fresh" [V1_1..];
    MACHINE_IDENTIFIER MachineIdentifier = 0x4200A9 "Machine Identifier" [V1_1..];
    MEDIA_IDENTIFIER MediaIdentifier = 0x4200AA "Media Identifier" [V1_1..];
    NETWORK_IDENTIFIER NetworkIdentifier = 0x4200AB "Network Identifier" [V1_1..];
    OBJECT_GROUP_MEMBER ObjectGroupMember = 0x4200AC "Object Group Member" [V1_1..];
    CERTIFICATE_LENGTH CertificateLength = 0x4200AD "Certificate Length" [V1_1..];
    DIGITAL_SIGNATURE_ALGORITHM DigitalSignatureAlgorithm = 0x4200AE "Digital Signature Algorithm" [V1_1..];
    CERTIFICATE_SERIAL_NUMBER CertificateSerialNumber = 0x4200AF "Certificate Serial Number" [V1_1..];
    DEVICE_SERIAL_NUMBER DeviceSerialNumber = 0x4200B0 "Device Serial Number" [V1_1..];
    ISSUER_ALTERNATIVE_NAME IssuerAlternativeName = 0x4200B1 "Issuer Alternative Name" [V1_1..];
    ISSUER_DISTINGUISHED_NAME IssuerDistinguishedName = 0x4200B2 "Issuer Distinguished Name" [V1_1..];
    SUBJECT_ALTERNATIVE_NAME SubjectAlternativeName = 0x4200B3 "Subject Alternative Name" [V1_1..];
    SUBJECT_DISTINGUISHED_NAME SubjectDistinguishedName = 0x4200B4 "Subject Distinguished Name" [V1_1..];
    X_509_CERTIFICATE_IDENTIFIER X_509CertificateIdentifier = 0x4200B5 "X.509 Certificate Identifier" [V1_1..];
    X_509_CERTIFICATE_ISSUER X_509CertificateIssuer = 0x4200B6 "X.509 Certificate Issuer" [V1_1..];
    X_509_CERTIFICATE_SUBJECT X_509CertificateSubject = 0x4200B7 "X.509 Certificate Subject" [V1_1..];
    KEY_VALUE_LOCATION KeyValueLocation = 0x4200B8 "Key Value Location" [V1_2..];
    KEY_VALUE_LOCATION_VALUE KeyValueLocationValue = 0x4200B9 "Key Value Location Value" [V1_2..];
    KEY_VALUE_LOCATION_TYPE KeyValueLocationType = 0x4200BA "Key Value Location Type" [V1_2..];
    KEY_VALUE_PRESENT KeyValuePresent = 0x4200BB "Key Value Present" [V1_2..];
    ORIGINAL_CREATION_DATE OriginalCreationDate = 0x4200BC "Original Creation Date" [V1_2..];
    PGP_KEY PGPKey = 0x4200BD "PGP Key" [V1_2..];
    PGP_KEY_VERSION PGPKeyVersion = 0x4200BE "PGP Key Version" [V1_2..];
    ALTERNATIVE_NAME AlternativeName = 0x4200BF "Alternative Name" [V1_2..];
    ALTERNATIVE_NAME_VALUE AlternativeNameValue = 0x4200C0 "Alternative Name Value" [V1_2..];
    ALTERNATIVE_NAME_TYPE AlternativeNameType = 0x4200C1 "Alternative Name Type" [V1_2..];
    DATA Data = 0x4200C2 "Data" [V1_2..];
    SIGNATURE_DATA SignatureData = 0x4200C3 "Signature Data" [V1_2..];
    DATA_LENGTH DataLength = 0x4200C4 "Data Length" [V1_2..];
    RANDOM_IV RandomIV = 0x4200C5 "Random IV" [V1_2..];
    MAC_DATA MACData = 0x4200C6 "MAC Data" [V1_2..];
    ATTESTATION_TYPE AttestationType = 0x4200C7 "Attestation Type" [V1_2..];
    NONCE Nonce = 0x4200C8 "Nonce" [V1_2..];
    NONCE_ID NonceID = 0x4200C9 "Nonce ID" [V1_2..];
    NONCE_VALUE NonceValue = 0x4200CA "Nonce Value" [V1_2..];
    ATTESTATION_MEASUREMENT AttestationMeasurement = 0x4200CB "Attestation Measurement" [V1_2..];
    ATTESTATION_ASSERTION AttestationAssertion = 0x4200CC "Attestation Assertion" [V1_2..];
    IV_LENGTH IVLength = 0x4200CD "IV Length" [V1_2..];
    TAG_LENGTH TagLength = 0x4200CE "Tag Length" [V1_2..];
    FIXED_FIELD_LENGTH FixedFieldLength = 0x4200CF "Fixed Field Length" [V1_2..];
    COUNTER_LENGTH CounterLength = 0x4200D0 "Counter Length" [V1_2..];
    INITIAL_COUNTER_VALUE InitialCounterValue = 0x4200D1 "Initial Counter Value" [V1_2..];
    INVOCATION_FIELD_LENGTH InvocationFieldLength = 0x4200D2 "Invocation Field Length" [V1_2..];
    ATTESTATION_CAPABLE_INDICATOR AttestationCapableIndicator = 0x4200D3 "Attestation Capable Indicator" [V1_2..];
    OFFSET_ITEMS OffsetItems = 0x4200D4 "Offset Items" [V1_3..];
    LOCATED_ITEMS LocatedItems = 0x4200D5 "Located Items" [V1_3..];
    CORRELATION_VALUE CorrelationValue = 0x4200D6 "Correlation Value" [V1_3..];
    INIT_INDICATOR InitIndicator = 0x4200D7 "Init Indicator" [V1_3..];
    FINAL_INDICATOR FinalIndicator = 0x4200D8 "Final Indicator" [V1_3..];
    RNG_PARAMETERS RNGParameters = 0x4200D9 "RNG Parameters" [V1_3..];
    RNG_ALGORITHM RNGAlgorithm = 0x4200DA "RNG Algorithm" [V1_3..];
    DRBG_ALGORITHM DRBGAlgorithm = 0x4200DB "DRBG Algorithm" [V1_3..];
    FIPS186_VARIATION FIPS186Variation = 0x4200DC "FIPS186 Variation" [V1_3..];
    PREDICTION_RESISTANCE PredictionResistance = 0x4200DD "Prediction Resistance" [V1_3..];
    RANDOM_NUMBER_GENERATOR RandomNumberGenerator = 0x4200DE "Random Number Generator" [V1_3..];
    VALIDATION_INFORMATION ValidationInformation = 0x4200DF "Validation Information" [V1_3..];
    VALIDATION_AUTHORITY_TYPE ValidationAuthorityType = 0x4200E0 "Validation Authority Type" [V1_3..];
    VALIDATION_AUTHORITY_COUNTRY ValidationAuthorityCountry = 0x4200E1 "Validation Authority Country" [V1_3..];
    VALIDATION_AUTHORITY_URI ValidationAuthorityURI = 0x4200E2 "Validation Authority URI" [V1_3..];
    VALIDATION_VERSION_MAJOR ValidationVersionMajor = 0x4200E3 "Validation Version Major" [V1_3..];
    VALIDATION_VERSION_MINOR ValidationVersionMinor = 0x4200E4 "Validation Version Minor" [V1_3..];
    VALIDATION_TYPE ValidationType = 0x4200E5 "Validation Type" [V1_3..];
    VALIDATION_LEVEL ValidationLevel = 0x4200E6 "Validation Level" [V1_3..];
    VALIDATION_CERTIFICATE_IDENTIFIER ValidationCertificateIdentifier = 0x4200E7 "Validation Certificate Identifier" [V1_3..];
    VALIDATION_CERTIFICATE_URI ValidationCertificateURI = 0x4200E8 "Validation Certificate URI" [V1_3..];
    VALIDATION_VENDOR_URI ValidationVendorURI = 0x4200E9 "Validation Vendor URI" [V1_3..];
    VALIDATION_PROFILE ValidationProfile = 0x4200EA "Validation Profile" [V1_3..];
    PROFILE_INFORMATION ProfileInformation = 0x4200EB "Profile Information" [V1_3..];
    PROFILE_NAME ProfileName = 0x4200EC "Profile Name" [V1_3..];
    SERVER_URI ServerURI = 0x4200ED "Server URI" [V1_3..];
    SERVER_PORT ServerPort = 0x4200EE "Server Port" [V1_3..];
    STREAMING_CAPABILITY StreamingCapability = 0x4200EF "Streaming Capability" [V1_3..];
    ASYNCHRONOUS_CAPABILITY AsynchronousCapability = 0x4200F0 "Asynchronous Capability" [V1_3..];
    ATTESTATION_CAPABILITY AttestationCapability = 0x4200F1 "Attestation Capability" [V1_3..];
    UNWRAP_MODE UnwrapMode = 0x4200F2 "Unwrap Mode" [V1_3..];
    DESTROY_ACTION DestroyAction = 0x4200F3 "Destroy Action" [V1_3..];
    SHREDDING_ALGORITHM ShreddingAlgorithm = 0x4200F4 "Shredding Algorithm" [V1_3..];
    RNG_MODE RNGMode = 0x4200F5 "RNG Mode" [V1_3..];
    CLIENT_REGISTRATION_METHOD ClientRegistrationMethod = 0x4200F6 "Client Registration Method" [V1_3..];
    CAPABILITY_INFORMATION CapabilityInformation = 0x4200F7 "Capability Information" [V1_3..];
    KEY_WRAP_TYPE KeyWrapType = 0x4200F8 "Key Wrap Type" [V1_4..];
    BATCH_UNDO_CAPABILITY BatchUndoCapability = 0x4200F9 "Batch Undo Capability" [V1_4..];
    BATCH_CONTINUE_CAPABILITY BatchContinueCapability = 0x4200FA "Batch Continue Capability" [V1_4..];
    PKCS_12_FRIENDLY_NAME PKCS_12FriendlyName = 0x4200FB "PKCS#12 Friendly Name" [V1_4..];
    DESCRIPTION Description = 0x4200FC "Description" [V1_4..];
    COMMENT Comment = 0x4200FD "Comment" [V1_4..];
    AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA AuthenticatedEncryptionAdditionalData = 0x4200FE "Authenticated Encryption Additional Data" [V1_4..];
    AUTHENTICATED_ENCRYPTION_TAG AuthenticatedEncryptionTag = 0x4200FF "Authenticated Encryption Tag" [V1_4..];
    SALT_LENGTH SaltLength = 0x420100 "Salt Length" [V1_4..];
    MASK_GENERATOR MaskGenerator = 0x420101 "Mask Generator" [V1_4..];
    MASK_GENERATOR_HASHING_ALGORITHM MaskGeneratorHashingAlgorithm = 0x420102 "Mask Generator Hashing Algorithm" [V1_4..];
    P_SOURCE PSource = 0x420103 "P Source" [V1_4..];
    TRAILER_FIELD TrailerField = 0x420104 "Trailer Field" [V1_4..];
    CLIENT_CORRELATION_VALUE ClientCorrelationValue = 0x420105 "Client Correlation Value" [V1_4..];
    SERVER_CORRELATION_VALUE ServerCorrelationValue = 0x420106 "Server Correlation Value" [V1_4..];
    DIGESTED_DATA DigestedData = 0x420107 "Digested Data" [V1_4..];
    CERTIFICATE_SUBJECT_CN CertificateSubjectCN = 0x420108 "Certificate Subject CN" [V1_4..];
    CERTIFICATE_SUBJECT_O CertificateSubjectO = 0x420109 "Certificate Subject O" [V1_4..];
    CERTIFICATE_SUBJECT_OU CertificateSubjectOU = 0x42010A "Certificate Subject OU" [V1_4..];
    CERTIFICATE_SUBJECT_EMAIL CertificateSubjectEmail = 0x42010B "Certificate Subject Email" [V1_4..];
    CERTIFICATE_SUBJECT_C CertificateSubjectC = 0x42010C "Certificate Subject C" [V1_4..];
    CERTIFICATE_SUBJECT_ST CertificateSubjectST = 0x42010D "Certificate Subject ST" [V1_4..];
    CERTIFICATE_SUBJECT_L CertificateSubjectL = 0x42010E "Certificate Subject L" [V1_4..];
    CERTIFICATE_SUBJECT_UID CertificateSubjectUID = 0x42010F "Certificate Subject UID" [V1_4..];
    CERTIFICATE_SUBJECT_SERIAL_NUMBER CertificateSubjectSerialNumber = 0x420110 "Certificate Subject Serial Number" [V1_4..];
    CERTIFICATE_SUBJECT_TITLE CertificateSubjectTitle = 0x420111 "Certificate Subject Title" [V1_4..];
    CERTIFICATE_SUBJECT_DC CertificateSubjectDC = 0x420112 "Certificate Subject DC" [V1_4..];
    CERTIFICATE_SUBJECT_DN_QUALIFIER CertificateSubjectDNQualifier = 0x420113 "Certificate Subject DN Qualifier" [V1_4..];
    CERTIFICATE_ISSUER_CN CertificateIssuerCN = 0x420114 "Certificate Issuer CN" [V1_4..];
    CERTIFICATE_ISSUER_O CertificateIssuerO = 0x420115 "Certificate Issuer O" [V1_4..];
    CERTIFICATE_ISSUER_OU CertificateIssuerOU = 0x420116 "Certificate Issuer OU" [V1_4..];
    CERTIFICATE_ISSUER_EMAIL CertificateIssuerEmail = 0x420117 "Certificate Issuer Email" [V1_4..];
    CERTIFICATE_ISSUER_C CertificateIssuerC = 0x420118 "Certificate Issuer C" [V1_4..];
    CERTIFICATE_ISSUER_ST CertificateIssuerST = 0x420119 "Certificate Issuer ST" [V1_4..];
    CERTIFICATE_ISSUER_L CertificateIssuerL = 0x42011A "Certificate Issuer L" [V1_4..];
    CERTIFICATE_ISSUER_UID CertificateIssuerUID = 0x42011B "Certificate Issuer UID" [V1_4..];
    CERTIFICATE_ISSUER_SERIAL_NUMBER CertificateIssuerSerialNumber = 0x42011C "Certificate Issuer Serial Number" [V1_4..];
    CERTIFICATE_ISSUER_TITLE CertificateIssuerTitle = 0x42011D "Certificate Issuer Title" [V1_4..];
    CERTIFICATE_ISSUER_DC CertificateIssuerDC = 0x42011E "Certificate Issuer DC" [V1_4..];
    CERTIFICATE_ISSUER_DN_QUALIFIER CertificateIssuerDNQualifier = 0x42011F "Certificate Issuer DN Qualifier" [V1_4..];
    SENSITIVE Sensitive = 0x420120 "Sensitive" [V1_4..];
    ALWAYS_SENSITIVE AlwaysSensitive = 0x420121 "Always Sensitive" [V1_4..];
    EXTRACTABLE Extractable = 0x420122 "Extractable" [V1_4..];
    NEVER_EXTRACTABLE NeverExtractable = 0x420123 "Never Extractable" [V1_4..];
    REPLACE_EXISTING ReplaceExisting = 0x420124 "Replace Existing" [V1_4..];
    ATTRIBUTES Attributes = 0x420125 "Attributes" [V2_0..];
    COMMON_ATTRIBUTES CommonAttributes = 0x420126 "Common Attributes" [V2_0..];
    PRIVATE_KEY_ATTRIBUTES PrivateKeyAttributes = 0x420127 "Private Key Attributes" [V2_0..];
    PUBLIC_KEY_ATTRIBUTES PublicKeyAttributes = 0x420128 "Public Key Attributes" [V2_0..];
    EXTENSION_ENUMERATION ExtensionEnumeration = 0x420129 "Extension Enumeration" [V2_0..];
    EXTENSION_ATTRIBUTE ExtensionAttribute = 0x42012A "Extension Attribute" [V2_0..];
    EXTENSION_PARENT_STRUCTURE_TAG ExtensionParentStructureTag = 0x42012B "Extension Parent Structure Tag" [V2_0..];
    EXTENSION_DESCRIPTION ExtensionDescription = 0x42012C "Extension Description" [V2_0..];
    SERVER_NAME ServerName = 0x42012D "Server Name" [V2_0..];
    SERVER_SERIAL_NUMBER ServerSerialNumber = 0x42012E "Server Serial Number" [V2_0..];
    SERVER_VERSION ServerVersion = 0x42012F "Server Version" [V2_0..];
    SERVER_LOAD ServerLoad = 0x420130 "Server Load" [V2_0..];
    PRODUCT_NAME ProductName = 0x420131 "Product Name" [V2_0..];
    BUILD_LEVEL BuildLevel = 0x420132 "Build Level" [V2_0..];
    BUILD_DATE BuildDate = 0x420133 "Build Date" [V2_0..];
    CLUSTER_INFO ClusterInfo = 0x420134 "Cluster Info" [V2_0..];
    ALTERNATE_FAILOVER_ENDPOINTS AlternateFailoverEndpoints = 0x420135 "Alternate Failover Endpoints" [V2_0..];
    SHORT_UNIQUE_IDENTIFIER ShortUniqueIdentifier = 0x420136 "Short Unique Identifier" [V2_0..];
    TAG Tag = 0x420138 "Tag" [V2_0..];
    CERTIFICATE_REQUEST_UNIQUE_IDENTIFIER CertificateRequestUniqueIdentifier = 0x420139 "Certificate Request Unique Identifier" [V2_0..];
    NIST_KEY_TYPE NISTKeyType = 0x42013A "NIST Key Type" [V2_0..];
    ATTRIBUTE_REFERENCE AttributeReference = 0x42013B "Attribute Reference" [V2_0..];
    CURRENT_ATTRIBUTE CurrentAttribute = 0x42013C "Current Attribute" [V2_0..];
    NEW_ATTRIBUTE NewAttribute = 0x42013D "New Attribute" [V2_0..];
    CERTIFICATE_REQUEST_VALUE CertificateRequestValue = 0x420140 "Certificate Request Value" [V2_0..];
    LOG_MESSAGE LogMessage = 0x420141 "Log Message" [V2_0..];
    PROFILE_VERSION ProfileVersion = 0x420142 "Profile Version" [V2_0..];
    PROFILE_VERSION_MAJOR ProfileVersionMajor = 0x420143 "Profile Version Major" [V2_0..];
    PROFILE_VERSION_MINOR ProfileVersionMinor = 0x420144 "Profile Version Minor" [V2_0..];
    PROTECTION_LEVEL ProtectionLevel = 0x420145 "Protection Level" [V2_0..];
    PROTECTION_PERIOD ProtectionPeriod = 0x420146 "Protection Period" [V2_0..];
    QUANTUM_SAFE QuantumSafe = 0x420147 "Quantum Safe" [V2_0..];
    QUANTUM_SAFE_CAPABILITY QuantumSafeCapability = 0x420148 "Quantum Safe Capability" [V2_0..];
    TICKET Ticket = 0x420149 "Ticket" [V2_0..];
    TICKET_TYPE TicketType = 0x42014A "Ticket Type" [V2_0..];
    TICKET_VALUE TicketValue = 0x42014B "Ticket Value" [V2_0..];
    REQUEST_COUNT RequestCount = 0x42014C "Request Count" [V2_0..];
    RIGHTS Rights = 0x42014D "Rights" [V2_0..];
    OBJECTS Objects = 0x42014E "Objects" [V2_0..];
    OPERATIONS Operations = 0x42014F "Operations" [V2_0..];
    RIGHT Right = 0x420150 "Right" [V2_0..];
    ENDPOINT_ROLE EndpointRole = 0x420151 "Endpoint Role" [V2_0..];
    DEFAULTS_INFORMATION DefaultsInformation = 0x420152 "Defaults Information" [V2_0..];
    OBJECT_DEFAULTS ObjectDefaults = 0x420153 "Object Defaults" [V2_0..];
    EPHEMERAL Ephemeral = 0x420154 "Ephemeral" [V2_0..];
    SERVER_HASHED_PASSWORD ServerHashedPassword = 0x420155 "Server Hashed Password" [V2_0..];
    ONE_TIME_PASSWORD OneTimePassword = 0x420156 "One Time Password" [V2_0..];
    HASHED_PASSWORD HashedPassword = 0x420157 "Hashed Password" [V2_0..];
    ADJUSTMENT_TYPE AdjustmentType = 0x420158 "Adjustment Type" [V2_0..];
    PKCS_11_INTERFACE PKCS_11Interface = 0x420159 "PKCS#11 Interface" [V2_0..];
    PKCS_11_FUNCTION PKCS_11Function = 0x42015A "PKCS#11 Function" [V2_0..];
    PKCS_11_INPUT_PARAMETERS PKCS_11InputParameters = 0x42015B "PKCS#11 Input Parameters" [V2_0..];
    PKCS_11_OUTPUT_PARAMETERS PKCS_11OutputParameters = 0x42015C "PKCS#11 Output Parameters" [V2_0..];
    PKCS_11_RETURN_CODE PKCS_11ReturnCode = 0x42015D "PKCS#11 Return Code" [V2_0..];
    PROTECTION_STORAGE_MASK ProtectionStorageMask = 0x42015E "Protection Storage Mask" [V2_0..];
    PROTECTION_STORAGE_MASKS ProtectionStorageMasks = 0x42015F "Protection Storage Masks" [V2_0..];
    INTEROP_FUNCTION InteropFunction = 0x420160 "Interop Function" [V2_0..];
    INTEROP_IDENTIFIER InteropIdentifier = 0x420161 "Interop Identifier" [V2_0..];
    ADJUSTMENT_VALUE AdjustmentValue = 0x420162 "Adjustment Value" [V2_0..];
    COMMON_PROTECTION_STORAGE_MASKS CommonProtectionStorageMasks = 0x420163 "Common Protection Storage Masks" [V2_0..];
    PRIVATE_PROTECTION_STORAGE_MASKS PrivateProtectionStorageMasks = 0x420164 "Private Protection Storage Masks" [V2_0..];
    PUBLIC_PROTECTION_STORAGE_MASKS PublicProtectionStorageMasks = 0x420165 "Public Protection Storage Masks" [V2_0..];
    OBJECT_GROUPS ObjectGroups = 0x420166 "Object Groups" [V2_1..];
    OBJECT_TYPES ObjectTypes = 0x420167 "Object Types" [V2_1..];
    CONSTRAINTS Constraints = 0x420168 "Constraints" [V2_1..];
    CONSTRAINT Constraint = 0x420169 "Constraint" [V2_1..];
    ROTATE_INTERVAL RotateInterval = 0x42016A "Rotate Interval" [V2_1..];
    ROTATE_AUTOMATIC RotateAutomatic = 0x42016B "Rotate Automatic" [V2_1..];
    ROTATE_OFFSET RotateOffset = 0x42016C "Rotate Offset" [V2_1..];
    ROTATE_DATE RotateDate = 0x42016D "Rotate Date" [V2_1..];
    ROTATE_GENERATION RotateGeneration = 0x42016E "Rotate Generation" [V2_1..];
    ROTATE_NAME RotateName = 0x42016F "Rotate Name" [V2_1..];
    ROTATE_NAME_VALUE RotateNameValue = 0x420170 "Rotate Name Value" [V2_1..];
    ROTATE_NAME_TYPE RotateNameType = 0x420171 "Rotate Name Type" [V2_1..];
    ROTATE_LATEST RotateLatest = 0x420172 "Rotate Latest" [V2_1..];
    ASYNCHRONOUS_REQUEST AsynchronousRequest = 0x420173 "Asynchronous Request" [V2_1..];
    SUBMISSION_DATE SubmissionDate = 0x420174 "Submission Date" [V2_1..];
    PROCESSING_STAGE ProcessingStage = 0x420175 "Processing Stage" [V2_1..];
    ASYNCHRONOUS_CORRELATION_VALUES AsynchronousCorrelationValues = 0x420176 "Asynchronous Correlation Values" [V2_1..];
}
