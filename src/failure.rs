//! The one error type of the server, and the ONE mapping to what a client is told: status, reason, message.
//!
//! A [`Fault`] is a row: the reason of the newest specification, the reason an older peer is told where that one does
//! not exist, and a fixed ASCII message. What really happened goes into `detail`, which is logged and never sent.

mod refusal;
mod told;

pub use refusal::Failure;
pub use told::Told;

use kmip_protocol::{ResultReason, Version};

macro_rules! faults {
    ($( $(#[$doc:meta])* $name:ident = $reason:ident $(else $older:ident)?, $message:literal; )*) => {
        /// Everything that can be told to a client. Each row has a line in the golden file `tests/golden/faults.txt`.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Fault { $( $(#[$doc])* $name, )* }

        impl Fault {
            /// Every fault, in the order of the table.
            pub const ALL: &'static [Fault] = &[ $( Fault::$name, )* ];

            /// The reason in the newest specification.
            #[must_use]
            pub const fn newest_reason(self) -> ResultReason {
                match self { $( Fault::$name => ResultReason::$reason, )* }
            }

            const fn older_reason(self) -> Option<ResultReason> {
                match self { $( Fault::$name => faults!(@older $($older)?), )* }
            }

            /// The text that a client is told.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $( Fault::$name => $message, )* }
            }
        }
    };
    (@older) => { None };
    (@older $older:ident) => { Some(ResultReason::$older) };
}

faults! {
    // The message and the peer.
    /// The item could not be decoded.
    InvalidMessage = InvalidMessage, "the request is not well formed";
    /// The header's protocol version is not one of ours.
    UnsupportedVersion = UnsupportedProtocolVersion else InvalidMessage, "protocol version not supported";
    /// The operation is not one of ours, or not one of that version.
    OperationNotSupported = OperationNotSupported, "operation not supported";
    /// A feature of the request is not offered.
    FeatureNotSupported = FeatureNotSupported, "feature not supported";
    /// A critical Message Extension is not understood (KMIP 1.4 §6.16).
    UnknownExtension = FeatureNotSupported, "critical message extension not understood";
    /// Asynchronous processing was made mandatory for an item that has none.
    AsynchronousNotSupported = FeatureNotSupported, "asynchronous processing is not offered for this operation";
    /// The answer does not fit in what the client can take.
    ResponseTooLarge = ResponseTooLarge, "the response exceeds the maximum response size";
    /// The batch has more items, or the request more of something, than a limit permits.
    LimitExceeded = ServerLimitExceeded else GeneralFailure, "a limit of the server is exceeded";
    /// An object would have more attributes, or more instances of one, than a limit permits (KMIP 1.4 §11, Index Out of Bounds).
    TooManyAttributes = ServerLimitExceeded, "an object has no more attributes than this";
    /// The certificate belongs to nobody, or to somebody suspended.
    NotAuthenticated = AuthenticationNotSuccessful, "the client is not registered or not active";
    /// The principal may not do this.
    PermissionDenied = PermissionDenied, "permission denied";
    /// A person has shown its certificate only.
    LoginRequired = AuthenticationNotSuccessful, "log in first";
    /// A role's people must show a key that is in hardware.
    HardwareRequired = AuthenticationNotSuccessful, "a key that is enrolled as one in hardware is required";
    /// A person has logged in with an initial password.
    PasswordChangeRequired = PermissionDenied, "change the initial password first";
    /// A credential in the header is of a kind that is not judged here.
    CredentialRefused = AuthenticationNotSuccessful, "the credential was not accepted";
    /// A ticket is unknown, another's, run out, or was not used for too long.
    InvalidTicket = InvalidTicket else AuthenticationNotSuccessful, "the ticket does not hold";
    /// An attestation of the client's (KMIP 2.1 §9.11).
    AttestationFailed = AttestationFailed, "attestations of clients are not judged here";
    /// A client's ticket was shown in as many requests as it was made for.
    TicketUsed = UsageLimitExceeded else PermissionDenied, "the ticket is used up";
    /// A ticket was delegated for something else (KMIP 2.1 §6.1.12).
    RightsRefused = NotAuthorised else PermissionDenied, "the rights of the ticket do not permit this";

    // People.
    /// The person has no such certificate, or it is revoked.
    CertificateNotFound = ItemNotFound, "no such certificate of this person";
    /// The name is another person's of the domain, or the key another's of the installation or a client's.
    PersonTaken = InvalidField, "the name or the key of the certificate is taken; who holds the key can prove it";
    /// The name cannot be shown or typed.
    PersonName = InvalidField, "a person needs a name of 1 to 64 bytes without invisible characters, outer or double spaces";
    /// The role is not one of the domain.
    PersonRoleRefused = PermissionDenied, "people of this role are not made here";
    /// The person is not in a state for it.
    PersonState = PermissionDenied, "the state of the person does not permit this";
    /// Only others may do this for a person.
    NotByOneself = PermissionDenied, "another person must do this";
    /// Deleting the person would leave too few.
    TooFewLeft = PermissionDenied, "too few people of this role would be left";
    /// The own last certificate was to be revoked.
    LastCredential = PermissionDenied, "the own last certificate can be revoked by another person only";
    /// A key came with a signature that is not its own over what is to be proven.
    PossessionNotShown = InvalidField, "the proof of possession does not verify under the key";
    /// A key came without any, where the installation wants one.
    PossessionRequired = InvalidField, "a proof of possession of the key is required";
    /// An attestation is not of the person's key, or no authority of the domain that is marked as one of hardware vouches for it.
    AttestationRefused = InvalidField, "no authority of hardware vouches for this key";
    /// The password is too short, known, like the name, or was used before.
    PasswordPolicy = BadPassword else InvalidField, "the password must have 12 characters, be hard to guess, and be new";
    // Authorities.
    /// A revocation list verifies under no authority of the domain, or is older than the one that it would replace.
    RevocationListRefused = InvalidField, "the revocation list is by no authority enrolled here, or older than the present one";

    // Objects.
    /// Unknown, foreign, or named by an empty ID Placeholder.
    ObjectNotFound = ObjectNotFound else ItemNotFound, "no object with this unique identifier";
    /// The object was destroyed.
    ObjectDestroyed = ObjectDestroyed else ItemNotFound, "the object has been destroyed";
    /// The object is to be destroyed, and was (KMIP 1.4 §11.22).
    AlreadyDestroyed = ObjectDestroyed else PermissionDenied, "the object has been destroyed before";
    /// The object must be recovered first.
    ObjectArchived = ObjectArchived, "the object is archived";
    /// The object has no state in which this can be done.
    WrongState = WrongKeyLifecycleState else PermissionDenied, "the state of the object does not permit this";
    /// An object of this type cannot be activated, revoked or the like.
    IllegalObjectType = InvalidObjectType else IllegalOperation, "an object of this type does not permit this";
    /// An object of this type cannot be used for this.
    UnusableObjectType = InvalidObjectType else PermissionDenied, "an object of this type cannot be used for this";
    /// The object type is unknown or does not fit the request.
    InvalidObjectType = InvalidObjectType else InvalidField, "the object type does not fit the request";
    /// The usage mask lacks the bit.
    UsageMask = IncompatibleCryptographicUsageMask else PermissionDenied, "the cryptographic usage mask does not permit this";
    /// The same, of a key that another is to be derived from (KMIP 1.4 §11, Derive Key).
    NotDerivable = IncompatibleCryptographicUsageMask else InvalidField, "nothing can be derived from this object";
    /// A certificate request is not of the type that is said, is of another key, or was not signed by its own (KMIP 2.1 §11.50).
    InvalidCsr = InvalidCSR, "not a certificate request of this type and for this key, signed by it";
    /// An authority's certificate was asked for, or one for what cannot be read or is compromised (KMIP 1.4 §11.8).
    NotCertifiable = PermissionDenied, "this cannot be certified";
    /// No authority certifies for this client.
    NoIssuer = PermissionDenied, "there is no certificate authority that issues for this client";
    /// The usage limits are used up.
    UsageLimit = PermissionDenied, "the usage limits of the object are exhausted";
    /// Fewer units are left than were asked for.
    UsageAllocation = UsageLimitExceeded else PermissionDenied, "so much is not left of the usage limits of the object";
    /// The object has no Usage Limits to allocate from.
    NoUsageLimits = AttributeNotFound else IllegalOperation, "the object has no usage limits";
    /// No lease is given, or none as long as this.
    LeaseRefused = PermissionDenied, "no such lease is given for the object";
    /// The object's value is elsewhere (KMIP 1.4 §3.41).
    KeyValueNotPresent = KeyValueNotPresent else PermissionDenied, "the key value is not present on the server";
    /// The object is sensitive and was asked for in clear.
    Sensitive = Sensitive else PermissionDenied, "the object is sensitive and must be wrapped";
    /// The object may not leave.
    NotExtractable = NotExtractable else PermissionDenied, "the object is not extractable";
    /// A client-chosen identifier is taken.
    ObjectExists = ObjectAlreadyExists else InvalidField, "an object with this unique identifier exists";
    /// The revocation reason is unknown.
    InvalidRevocationReason = InvalidField, "the revocation reason is not recognized";
    /// The wrapping key is unknown.
    WrappingObjectNotFound = WrappingObjectNotFound else ItemNotFound, "no wrapping key with this unique identifier";
    /// The wrapping key was destroyed.
    WrappingObjectDestroyed = WrappingObjectDestroyed else ItemNotFound, "the wrapping key has been destroyed";
    /// The wrapping key must be recovered first.
    WrappingObjectArchived = WrappingObjectArchived else ObjectArchived, "the wrapping key is archived";
    /// The wrapping key is no key.
    WrappingObjectIllegal = InvalidObjectType else IllegalOperation, "the wrapping object is not a key";
    /// The object is wrapped already, or the wrapping asked for does not fit it.
    WrapNotPossible = WrappingObjectNotFound else PermissionDenied, "the object cannot be wrapped like this";
    /// The wrapping key has other Cryptographic Parameters than those that are named (KMIP 1.4 §11, Get).
    WrappingParameters = BadCryptographicParameters else ItemNotFound, "the wrapping key has no such cryptographic parameters";
    /// The key wrap type is unknown.
    KeyWrapType = KeyWrapTypeNotSupported, "key wrap type not supported";
    /// The object cannot be had in this format.
    KeyFormat = KeyFormatTypeNotSupported, "key format type not supported for this object";
    /// The object cannot be had in this compression.
    KeyCompression = KeyCompressionTypeNotSupported, "key compression type not supported for this object";
    /// The password of a PKCS#12 bundle is not linked, linked twice, or no password; or it does not open the bundle.
    BundlePassword = BadPassword else InvalidField, "the PKCS#12 password is missing, ambiguous, no password, or does not open this";
    /// The certificates of a PKCS#12 bundle are not one chain.
    BundleChain = InvalidField, "the certificates that the key links to are not one chain";
    /// Attributes were asked for inside a key that is wrapped without encoding.
    EncodingOption = EncodingOptionError else InvalidField, "the encoding option does not permit this";

    // Fields and attributes.
    /// A field's value is out of range or contradicts another.
    InvalidField = InvalidField, "a field has a value that is not permitted";
    /// A field that the version does not have (KMIP 1.4 §11.1).
    UnknownField = InvalidField, "a field of the request is not known";
    /// An enumeration of the request has a value that its version does not have.
    UnknownValue = InvalidField, "a value of the request is not known";
    /// A field that this request needs is absent.
    MissingField = InvalidMessage, "a required field is missing";
    /// The attribute is unknown, or not for this object.
    InvalidAttribute = InvalidAttribute else InvalidField, "the attribute is unknown or does not apply to this object";
    /// An attribute that is to be added does not apply to the object (KMIP 1.4 §11, Add Attribute).
    AttributeNotSupported = InvalidAttribute else PermissionDenied, "the object can have no such attribute";
    /// The attribute's value is impossible.
    InvalidAttributeValue = InvalidAttributeValue else InvalidField, "the attribute value is not permitted";
    /// An Offset came with dates that it would set.
    OffsetWithDates = InvalidMessage, "an offset excludes the dates that it moves";
    /// An Offset moves dates that follow from an Activation Date, and there is none (KMIP 1.4 §11.5).
    OffsetWithoutActivation = IllegalOperation, "an offset needs an activation date to count the others from";
    /// The same attribute name was asked for twice (KMIP 1.4 §11.10).
    DuplicateAttributeName = InvalidMessage, "an attribute name is given more than once";
    /// The server alone sets this attribute.
    AttributeReadOnly = AttributeReadOnly else PermissionDenied, "the attribute is read-only";
    /// The same, where the operation adds or sets (KMIP 2.1 §6.1.2.1, §6.1.3.1, §6.1.51.1).
    AttributeNotSettable = ReadOnlyAttribute else PermissionDenied, "the attribute is set by the server only";
    /// The attribute may not be given at creation (KMIP 2.1 §6.1.8.1).
    ReadOnlyAtCreation = AttributeReadOnly else InvalidField, "the attribute is set by the server";
    /// The attribute exists and has one instance only.
    AttributeSingleValued = AttributeSingleValued else IllegalOperation, "the attribute has one instance only and exists";
    /// The same, in a request that creates.
    SingleValuedAtCreation = AttributeSingleValued else InvalidField, "the attribute may be given once only";
    /// Set Attribute was asked of an attribute with several instances.
    AttributeMultiValued = MultiValuedAttribute else InvalidField, "the attribute has several instances";
    /// There is no such attribute to change.
    AttributeAbsent = AttributeNotFound else InvalidField, "the attribute does not exist";
    /// There is no such attribute to delete.
    AttributeNotFound = AttributeNotFound else ItemNotFound, "the attribute does not exist";
    /// An attribute that this server does not know was to be adjusted.
    UnsupportedAttribute = UnsupportedAttribute, "the attribute is not supported";
    /// The value of the attribute is no number, time or truth, or the adjustment is of another kind.
    InvalidDataType = InvalidDataType, "a value of this type cannot be adjusted like this";
    /// The adjusted value is out of its type's range.
    NumericRange = NumericRange, "the adjusted value is out of range";
    /// The constraints that are set for new objects (KMIP 2.1 §7.6).
    Constrained = ConstraintViolation else InvalidField, "a constraint on new objects does not permit this";
    #[doc = "Nothing of what the client permits is where the server keeps keys."] ProtectionStorage = ProtectionStorageUnavailable, "no protection storage of this kind";
    #[doc = "The same, of a private key."] PrivateProtectionStorage = PrivateProtectionStorageUnavailable, "no protection storage of this kind for the private key";
    #[doc = "The same, of a public key."] PublicProtectionStorage = PublicProtectionStorageUnavailable, "no protection storage of this kind for the public key";
    /// No object is in the Object Group, and nothing is set for it (KMIP 2.1 §6.1.40.1).
    UnknownObjectGroup = UnknownObjectGroup, "no object group of this name";
    /// There is no such instance.
    AttributeInstanceNotFound = AttributeInstanceNotFound else ItemNotFound, "no such instance of the attribute";
    /// An index was given where none may be.
    AttributeIndex = InvalidField, "an attribute index is not permitted here";
    /// None was given where there is more than one instance that may be meant.
    AttributeIndexMissing = InvalidField, "an attribute index is required here";
    /// Another object has this Name (creation).
    NameTaken = NonUniqueNameAttribute else InvalidField, "an object with this name exists";
    /// Another object has this Name (attribute change).
    NameTakenByOther = NonUniqueNameAttribute else IllegalOperation, "an object with this name exists";
    /// The namespace is unknown.
    ApplicationNamespace = ApplicationNamespaceNotSupported, "application namespace not supported";
    // Cryptography.
    /// The parameters contradict the key or one another.
    BadParameters = BadCryptographicParameters else InvalidField, "the cryptographic parameters do not fit";
    /// The combination is not offered.
    UnsupportedParameters = UnsupportedCryptographicParameters else InvalidField, "the cryptographic parameters are not supported";
    /// Decryption needs an IV, counter or nonce.
    MissingIv = InvalidMessage, "an IV, counter or nonce is required";
    /// A tag length or the like that no key could make right (KMIP Profiles, CS-BC-M-GCM-1).
    ParameterRange = GeneralFailure, "a cryptographic parameter is out of range";
    /// The cryptography itself failed: a tag, a padding, a signature.
    Cryptographic = CryptographicFailure, "the cryptographic operation failed";
    /// A key that is required to be quantum safe is of an algorithm or a length that is not (KMIP Profiles, QS-M-2).
    NotQuantumSafe = GeneralFailure, "a key of this algorithm and length is not quantum safe";
    /// The PKCS#11 interface is none of ours (KMIP 2.1 §6.1.37).
    Pkcs11Interface = PKCS_11InvalidInterface, "no such PKCS#11 interface";
    /// The PKCS#11 function is unknown.
    Pkcs11Function = PKCS_11InvalidFunction, "no such PKCS#11 function";
    /// The correlation value is unknown.
    CorrelationValue = InvalidCorrelationValue else ItemNotFound, "the correlation value is not known";
    /// The asynchronous correlation value is unknown, foreign, or its result was delivered.
    AsynchronousValue = InvalidAsynchronousCorrelationValue else ItemNotFound, "the asynchronous correlation value is not known";
    /// Seeding is not permitted here.
    SeedRefused = PermissionDenied, "seeding is not permitted";

    // What others must agree to.
    /// A rule governs the request, and the client cannot wait for others; the message goes on with [`Told::governed`].
    ApprovalRequired = PermissionDenied, "others must agree to this request";
    /// The rule wants to know why.
    ReasonRequired = PermissionDenied, "a rule requires that the request gives a reason";
    /// Not enough people have a vote now.
    QuorumUnreachable = PermissionDenied, "too few people could agree to this request at present";
    /// A proposal or a reason that the client gave cannot be accepted.
    ProposalRefused = InvalidField, "the proposal note is not acceptable";
    /// The request says more in its version than can be shown to those who must agree.
    NotProposable = FeatureNotSupported, "a request of this form cannot be put to a vote; use a newer protocol version";
    /// An item that others must agree to has others beside it that rest on it.
    MustStandAlone = InvalidMessage, "an item that others must agree to cannot be combined like this";
    /// The requester has too many proposals, or its tenant.
    TooManyProposals = ServerLimitExceeded else PermissionDenied, "too many proposals are open";
    /// It is not approved yet.
    NotApproved = PermissionDenied, "the request is not approved yet";
    /// Unknown, or of another domain.
    ProposalNotFound = ItemNotFound, "no proposal with this identifier";
    /// It is being carried out, or has ended.
    ProposalEnded = PermissionDenied, "the proposal is no longer open to this";
    /// The person has no say in it.
    NoVote = PermissionDenied, "the person has no vote in this proposal";
    /// There is no vote to take back.
    NoVoteCast = ItemNotFound, "there is no vote to withdraw";
    /// The vote is not proved as its rule wants.
    VoteProof = PermissionDenied, "the rule wants a signature by a registered key of the voter that this vote does not have";
    /// The statement is about something else, out of time, cast before, or not signed by the voter.
    VoteInvalid = InvalidField, "the statement of the vote or its signature does not hold";
    /// The person has cast as many votes in this minute as one person casts.
    TooManyVotes = ServerLimitExceeded else PermissionDenied, "too many votes in one minute, try again later";
    /// Approved, and not yet to be carried out.
    TimelockRunning = PermissionDenied, "the timelock of the proposal is not over";
    /// There is no such version of the policy.
    PolicyNotFound = ItemNotFound, "no such version of the policy";
    /// Something in it is missing, twice, out of range, or cannot be governed.
    PolicyMalformed = InvalidField, "the policy has a value that is not permitted";
    /// A rule names a group that does not exist.
    PolicyGroup = ItemNotFound, "a rule of the policy names a group that does not exist";
    /// What decides who decides would be left to too few.
    PolicyFloor = ConstraintViolation else PermissionDenied, "the policy leaves to too few people who decides";
    /// With the people who would be there a rule could not be met.
    QuorumBroken = ConstraintViolation else PermissionDenied, "too few people would be left for a rule of the policy";
    /// A tenant is recovered whose operators can help themselves.
    RecoveryNotNeeded = PermissionDenied, "the people of the tenant can still agree to invite an operator themselves";
    /// A tenant is recovered whose operators could not object.
    RecoveryUnheard = PermissionDenied, "the tenant is suspended and its operators could not object: resume it first";
    /// In the recovery group somebody stands twice, who could be two of those that it takes.
    RecoveryAlone = ConstraintViolation else PermissionDenied, "one person stands in two groups of those who are to open backups together";
    /// There is no such group.
    GroupNotFound = ItemNotFound, "no group with this name";
    /// There is no such person.
    PersonNotFound = ItemNotFound, "no person with this name";
    /// It was withdrawn by its requester (KMIP 2.1 §6.1.5).
    Withdrawn = OperationCanceledByRequester, "the request was cancelled by its requester";
    /// Those who had to agree rejected it.
    ProposalRejected = NotAuthorised else PermissionDenied, "the request was rejected";
    /// Time ran out before they agreed, or before it was carried out.
    ProposalExpired = NotAuthorised else PermissionDenied, "the request expired before it was approved and carried out";
    /// The policy, the requester or the installation is no longer what it was.
    ProposalVoid = NotAuthorised else PermissionDenied, "the request became void";
    /// What it acts upon is no longer what those who agreed have seen.
    TargetChanged = NotAuthorised else PermissionDenied, "what the request acts upon has changed since it was made";
    /// The server went down while an outside effect was under way.
    OutcomeUnknown = GeneralFailure, "the outcome of the request is not known";
    /// It is being carried out already (KMIP 2.1 §6.1.39).
    DuplicateProcess = DuplicateProcessRequest else InvalidField, "the request is being processed already";

    // Administration.
    /// A name, a key or a rule belongs to another record.
    Taken = ObjectAlreadyExists else InvalidField, "another record has this name, key or rule";
    /// Nothing has this name in the requester's domain.
    NotFound = ItemNotFound, "nothing of this name";
    /// A name is not one that can be shown everywhere.
    InvalidName = InvalidField, "a name has 1 to 64 printable ASCII characters";
    /// What is to be deleted is in use.
    InUse = ConstraintViolation else PermissionDenied, "it is in use";
    /// The tenant has as many as its settings permit.
    QuotaExceeded = ServerLimitExceeded else GeneralFailure, "the quota of the tenant is exhausted";
    /// The settings name no such module.
    UnknownModule = ItemNotFound, "the server's settings name no PKCS#11 module of this name";
    /// No token of this label and serial number answered when it was first asked.
    TokenNotFound = ConstraintViolation else PermissionDenied, "no token with this label and serial number answers";
    /// The token did not take the PIN, and was not asked again.
    PinRefused = ConstraintViolation else PermissionDenied, "the token does not accept the PIN, or none at present; it is not tried again";
    /// The HSM-Profile is a folder of key files.
    NoToken = ConstraintViolation else PermissionDenied, "the HSM-Profile has no token";
    /// An HSM that is not gone: what lies there is taken out of it step by step.
    HsmAnswers = ConstraintViolation else PermissionDenied, "the HSM answers: take its KEKs out of it instead of giving them up";
    /// The system's own KEK lies there, without which nothing goes on.
    SystemKekThere = ConstraintViolation else PermissionDenied, "the system's KEKs lie there alone: make another one elsewhere, activate it, and rewrap";
    /// The token takes no such PIN.
    PinUnfit = InvalidField, "the token takes no PIN like this";
    /// A KEK that is active already, or is none any more.
    KekState = WrongKeyLifecycleState else PermissionDenied, "the state of the KEK does not permit this";
    /// The key is not one that shares can be encrypted to.
    ShareKeyRefused = InvalidField, "a share key is a key of P-256";
    /// An opened share is none of those that the person was handed, or was opened wrongly.
    ShareRefused = InvalidField, "this is no share of yours that this proposal needs";
    /// The votes stand, and what they opened is gone, or was never handed in.
    AwaitingShares = PermissionDenied, "shares of the key-management credential are awaited from those who have agreed";
    /// The HSM-Profile has a key-management credential, and those who decide here hold no shares of it.
    ManagementNotShared = PermissionDenied, "the key-management credential of the HSM-Profile is not shared among those who decide here";
    /// The HSM refuses what the shares opened: it was changed there. Not tried again: credentials lock.
    ManagementRefused = PermissionDenied, "the HSM does not accept the key-management credential; the administrators enter it anew";
    /// A rule counts votes of people who have no share key.
    ShareKeysMissing = PermissionDenied, "too few of those whose votes the rule for KEKs counts have a share key";
    /// Taking a share key would leave too few who can open a credential.
    LastShareKey = ConstraintViolation else PermissionDenied,
        "without this share key too few can open the key-management credential: put another in its place, or force it";
    /// What was entered as a credential of its own is not: the token's one user does it all.
    NotSeparated = ConstraintViolation else PermissionDenied, "the token has one user for using and for making keys: there is nothing to share";
    /// The policy wants two users in the HSM, and there is one.
    SeparationRequired = PermissionDenied, "the policy requires a user of its own for key management in the HSM";
    /// What a tenant's settings keep for a time is to go before that is over.
    RetentionRunning = ConstraintViolation else PermissionDenied, "the retention of the tenant is not over";
    /// A KEK is to be deleted that something lies under; the message goes on with [`Told::records`].
    KekReferenced = ConstraintViolation else PermissionDenied, "records lie under this KEK: rewrap them first";
    /// A KEK that stays in its HSM.
    NotProtected = ConstraintViolation else PermissionDenied,
        "only a protected KEK has HSM-Profiles and backup strings; a resident one is backed up by the means of its HSM";
    /// An HSM-Profile without an HSM, or with one that keeps no key pairs.
    NoKeyPairs = ConstraintViolation else PermissionDenied, "the HSM-Profile keeps no key pairs";
    /// A KEK of this kind is not kept there.
    KekKindRefused = InvalidField, "the HSM-Profile keeps no KEKs of this kind, or more than one is named for a KEK that lies in one";
    /// A profile that was given up is nobody's any more.
    HsmGivenUp = ConstraintViolation else PermissionDenied, "the HSM was given up: make a profile for another one";
    /// Without it nothing would open the KEK.
    LastProfile = ConstraintViolation else PermissionDenied, "the last HSM-Profile of a KEK stays";
    /// Something else than a backup string, or one that others open.
    BackupRefused = InvalidField, "no backup string, or one that this HSM-Profile does not open";
    /// A backup string of another tenant: what it wraps is bound to that one.
    BackupOfAnother = ConstraintViolation else InvalidField, "the backup string is of another tenant";
    /// There is no authority here that issues certificates.
    CannotIssue = ConstraintViolation else PermissionDenied, "the server has no key of this authority";
    /// The tenant's profile does not permit the algorithm or its parameters.
    ProfileRefused = ConstraintViolation else InvalidField, "the tenant's profile does not permit this algorithm or parameter";
    /// The client or its tenant asks more often than its settings permit.
    TooManyRequests = ServerLimitExceeded else GeneralFailure, "too many requests, try again later";
    /// A tenant has fewer operators than its policy wants.
    TooFewOperators = ConstraintViolation else InvalidField, "the policy wants more operators than these";
    /// A tenant is suspended before it is deleted.
    NotSuspended = ConstraintViolation else PermissionDenied, "suspend it first";
    /// A tenant whose settings have no retention was to be purged.
    NoRetention = ConstraintViolation else PermissionDenied, "the tenant has no retention: what remains of destroyed objects is kept for ever";
    /// A password that could be guessed.
    WeakPassword = ConstraintViolation else InvalidField, "the password is too short";

    // What lies in the store.
    /// The record's MAC is not right.
    RecordDamaged = GeneralFailure, "the record is not as the server wrote it; its administrators have been told";
    /// The record is held, since it is not as the change trail has it.
    Quarantined = PermissionDenied, "the record is not as the audit trail has it and is held until people have looked at it";
    /// The database was put back whole, and nobody has agreed to that yet.
    DatabaseRestored = GeneralFailure, "the database was put back: nothing is served until its administrators have agreed to go on with it";
    /// There is nothing to agree to.
    NotRestored = ConstraintViolation else PermissionDenied, "the database fits its anchor, or has none";
    // Legacy tokens.
    /// The tenant has legacy tokens that are not migrated yet.
    MigrationRequired = PermissionDenied, "the legacy tokens of the tenant must be migrated first";
    /// The file is no legacy token, or none of this tenant.
    LegacyToken = InvalidField, "this is not the file of a legacy token of the tenant";
    /// The tenant has fewer people who could hold shares than open the token.
    TooFewHolders = ConstraintViolation else PermissionDenied, "the tenant has too few operators and custodians to hand in the shares that open the token";
    /// The token was migrated, withdrawn, or its credentials were refused.
    LegacyTokenState = ConstraintViolation else PermissionDenied, "the state of the legacy token does not permit this";
    /// A share that cannot be read.
    LegacyShareUnreadable = InvalidField, "this is not the text of a share: compare it with what was handed out";
    /// A share of another token, or one that was not handed out.
    LegacyShareRefused = InvalidField, "this is not a share of a legacy token of the tenant that is to be migrated";
    /// Each holder hands in one.
    LegacyShareByPerson = ConstraintViolation else PermissionDenied, "this person has handed in a share of this token";
    /// Each share is handed in once.
    LegacyShareTaken = ConstraintViolation else PermissionDenied, "this share has been handed in";
    /// The threshold is not reached.
    TooFewShares = ConstraintViolation else PermissionDenied, "too few shares have been handed in";

    /// Interop clears tenants of tests only.
    NotForTests = PermissionDenied, "the tenant is not marked as one for tests";

    // The server.
    /// What seals the keys cannot be reached now; trying again later may work.
    CustodyUnavailable = GeneralFailure, "key custody is unavailable at present, try again later";
    /// The store cannot be reached or is full.
    StoreUnavailable = GeneralFailure, "storage is unavailable at present, try again later";
    /// Too many others changed the same things.
    Contention = GeneralFailure, "the request met too many concurrent changes, try again";
    /// A fault of the server.
    Internal = InternalServerError else GeneralFailure, "internal error";
}

impl Fault {
    /// Its name, by which it is kept in records.
    #[must_use]
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// The fault of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    /// Whether the same request may succeed later without anybody changing it: nothing was decided.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        matches!(
            self,
            Self::CustodyUnavailable | Self::StoreUnavailable | Self::Contention | Self::AwaitingShares
        )
    }

    /// What a peer of this version is told.
    #[must_use]
    pub fn reason(self, version: Version) -> ResultReason {
        let newest = self.newest_reason();
        match self.older_reason() {
            Some(older) if !newest.is_known_in(version) => older,
            _ => newest.for_version(version),
        }
    }
}

#[cfg(test)]
mod tests;
