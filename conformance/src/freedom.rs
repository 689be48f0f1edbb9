//! What a response may differ in from the one that a case prints: the permitted variations of the KMIP profiles
//! (KMIP Profiles 1.0–2.1, "Permitted Test Case Variations"). What is not listed here has to match.

use crate::binding::{Bindings, scope_name, squeeze};
use crate::tree::{Content, Node};
use kmip_protocol::{
    BlockCipherMode, CryptographicAlgorithm, DigitalSignatureAlgorithm, ObjectType, Operation, PaddingMethod, tag,
};
use kmip_ttlv::Tag;

/// Values that are the server's own, wherever they stand.
const SERVERS_OWN: [Tag; 10] = [
    tag::UNIQUE_IDENTIFIER,
    // Made from it (KMIP 2.0 §4.49).
    tag::SHORT_UNIQUE_IDENTIFIER,
    tag::PRIVATE_KEY_UNIQUE_IDENTIFIER,
    tag::PUBLIC_KEY_UNIQUE_IDENTIFIER,
    tag::LINKED_OBJECT_IDENTIFIER,
    tag::UNIQUE_BATCH_ITEM_ID,
    tag::ASYNCHRONOUS_CORRELATION_VALUE,
    tag::CORRELATION_VALUE,
    tag::SERVER_CORRELATION_VALUE,
    tag::TIME_STAMP,
];

/// Dates that the server sets, unless a request of the case fixed them.
const DATES: [&str; 13] = [
    "ActivationDate",
    "ArchiveDate",
    "CompromiseDate",
    "CompromiseOccurrenceDate",
    "DeactivationDate",
    "DestroyDate",
    "InitialDate",
    "LastChangeDate",
    "ProtectStopDate",
    "ProcessStartDate",
    "ValidityDate",
    "OriginalCreationDate",
    "TimeStamp",
];

/// How far `$NOW` in a response may lie from the start of the case: the two clocks differ, and making a key takes time.
pub const CLOCK_TOLERANCE: i64 = 60;

/// Operations that every profile requires of a server (KMIP Profiles 1.2, Baseline Server).
const BASELINE: [Operation; 12] = [
    Operation::Locate,
    Operation::Check,
    Operation::Get,
    Operation::GetAttributes,
    Operation::GetAttributeList,
    Operation::AddAttribute,
    Operation::ModifyAttribute,
    Operation::DeleteAttribute,
    Operation::Activate,
    Operation::Revoke,
    Operation::Destroy,
    Operation::Query,
];

/// What is known of a batch item while its response is compared.
#[derive(Clone, Default)]
pub struct ItemFacts {
    /// The operation of the request, 0 if unknown.
    pub operation: u32,
    /// The server made an object that takes part: its material, and what is computed with it, differ from run to run.
    pub is_made: bool,
    /// The output is randomised by the algorithm itself.
    pub is_random: bool,
    /// The request left the key format to the server.
    pub has_no_format: bool,
    /// The answer is about a certificate, whose format no client says.
    pub is_certificate: bool,
    /// The objects that it is about: those that it leaves, else those that request and response name.
    pub objects: Vec<String>,
    /// Lists in a Query answer illustrate; only what every profile requires has to be there.
    pub is_illustrative: bool,
    /// A Discover Versions request that listed no version.
    pub lists_no_version: bool,
}

impl ItemFacts {
    /// The facts of one batch item: its request and, since an ID Placeholder may name the object, its response.
    #[must_use]
    pub fn of(case: &str, request: &Node, response: &Node, bindings: &Bindings) -> Self {
        let operation = request.enumeration(tag::OPERATION).unwrap_or_default();
        let named = |node: &Node| {
            let mut made = false;
            node.walk(None, &mut |item, _| {
                if let (true, Content::Text(text)) = (names_an_object(item.tag), &item.content) {
                    made |= bindings.is_made(text);
                }
            });
            made
        };
        let leaves = leaves_an_object(operation);
        let mut objects = Vec::new();
        for node in [request, response].into_iter().skip(usize::from(leaves)) {
            node.walk(None, &mut |item, _| {
                if let (true, Content::Text(text)) = (names_an_object(item.tag), &item.content) {
                    objects.push(text.clone());
                }
            });
        }
        let mut is_certificate = false;
        response.walk(None, &mut |item, _| {
            is_certificate |=
                item.tag == tag::OBJECT_TYPE && item.content == Content::Enumeration(ObjectType::Certificate.0);
        });
        let payload = request.child(tag::REQUEST_PAYLOAD);
        let has = |tag: Tag| payload.is_some_and(|p| p.child(tag).is_some());
        Self {
            operation,
            is_made: makes(operation) || named(request) || named(response),
            is_random: is_random(operation, payload, bindings),
            has_no_format: !has(tag::KEY_FORMAT_TYPE),
            is_certificate,
            objects,
            is_illustrative: ["MSGENC", "SUITEB", "TC"].iter().any(|family| case.starts_with(family)),
            lists_no_version: !has(tag::PROTOCOL_VERSION),
        }
    }

    /// Whether the operation is this one.
    #[must_use]
    pub fn is(&self, operation: Operation) -> bool {
        self.operation == operation.0
    }

    /// Whether a value may differ from the literal that the case prints. `name` is its scope (attribute or tag name).
    #[must_use]
    pub fn may_differ(&self, tag: Tag, name: &str, printed: &Content, bindings: &Bindings) -> bool {
        if SERVERS_OWN.contains(&tag) || matches!(name, "UniqueIdentifier") {
            return true;
        }
        if let Content::DateTime(seconds) = printed
            && is_servers_date(name)
        {
            return !bindings.is_fixed(&self.objects, name, *seconds);
        }
        match tag {
            // A structure of the vendor's own making.
            tag::VENDOR_IDENTIFICATION | tag::SERVER_INFORMATION => self.is(Operation::Query),
            tag::KEY_MATERIAL | tag::KEY_VALUE => self.is_made || self.is_random,
            // The server's authority, and the number that it gives.
            tag::CERTIFICATE_VALUE | tag::ISSUER | tag::SERIAL_NUMBER | tag::CERTIFICATE_ISSUER_DISTINGUISHED_NAME => {
                self.is_made
            }
            tag::KEY_FORMAT_TYPE => (self.is_made || self.is_certificate) && self.has_no_format,
            tag::DATA
            | tag::SIGNATURE_DATA
            | tag::MAC_DATA
            | tag::AUTHENTICATED_ENCRYPTION_TAG
            | tag::IV_COUNTER_NONCE => self.is_made || self.is_random,
            // Words for people.
            tag::TICKET_VALUE | tag::RESULT_MESSAGE => true,
            _ => false,
        }
    }

    /// Whether a value inside a Digest may differ: the server chooses the hash, and the value of what it made.
    #[must_use]
    pub fn digest_may_differ(&self, tag: Tag) -> bool {
        matches!(tag, tag::HASHING_ALGORITHM | tag::KEY_FORMAT_TYPE | tag::DIGEST_VALUE)
    }

    /// Whether an item of a list in a Query answer has to be there if the case prints it.
    #[must_use]
    pub fn is_required_of_query(&self, tag: Tag, value: &Content) -> bool {
        match (tag, value) {
            (tag::OPERATION, Content::Enumeration(value)) if self.is_illustrative => {
                BASELINE.iter().any(|operation| operation.0 == *value)
            }
            _ => !self.is_illustrative,
        }
    }

    /// How the items of this tag inside this parent are compared.
    #[must_use]
    pub fn order(&self, parent: Tag, tag: Tag) -> Order {
        if is_attribute_container(parent) {
            return Order::Set { more: true };
        }
        match (parent, tag) {
            (tag::RESPONSE_PAYLOAD, tag::ATTRIBUTE) if self.is(Operation::GetAttributes) => Order::Set { more: true },
            // Of a server's own request, which nobody asked for in an order.
            (tag::REQUEST_PAYLOAD, tag::ATTRIBUTE) => Order::Set { more: true },
            (tag::RESPONSE_PAYLOAD, tag::ATTRIBUTE_NAME | tag::ATTRIBUTE_REFERENCE)
                if self.is(Operation::GetAttributeList) =>
            {
                Order::Set { more: true }
            }
            (tag::KEY_VALUE, tag::ATTRIBUTE) => Order::Set { more: true },
            (tag::RESPONSE_PAYLOAD, tag::UNIQUE_IDENTIFIER) if self.is(Operation::Locate) => Order::Set { more: false },
            (
                tag::RESPONSE_PAYLOAD,
                tag::OPERATION | tag::OBJECT_TYPE | tag::APPLICATION_NAMESPACE | tag::EXTENSION_INFORMATION,
            ) if self.is(Operation::Query) => Order::Set { more: true },
            (tag::RESPONSE_PAYLOAD, tag::PROTOCOL_VERSION) if self.lists_no_version => Order::Set { more: true },
            // Of administration: people and tenants have no order of their own.
            (_, tag::ELIGIBLE_PERSON) | (tag::RESPONSE_PAYLOAD, tag::PERSON | tag::TENANT | tag::CLIENT) => {
                Order::Set { more: false }
            }
            _ => Order::Sequence,
        }
    }
}

/// How the items of one tag within a structure are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One after the other.
    Sequence,
    /// In any order; with `more`, others may be among them.
    Set {
        /// Whether items beyond the expected ones are allowed.
        more: bool,
    },
}

/// Whether an item may be there or not, whatever the case prints.
#[must_use]
pub fn may_be_absent(parent: Tag, tag: Tag, value: Option<&Content>) -> bool {
    match (parent, tag) {
        // Optional in every header; servers that speak to old clients leave them out.
        (tag::RESPONSE_HEADER, tag::SERVER_CORRELATION_VALUE | tag::CLIENT_CORRELATION_VALUE)
        | (tag::BATCH_ITEM, tag::RESULT_MESSAGE | tag::MESSAGE_EXTENSION)
        | (tag::RESPONSE_PAYLOAD, tag::TEMPLATE_ATTRIBUTE)
        | (tag::RESPONSE_PAYLOAD, tag::PRIVATE_KEY_TEMPLATE_ATTRIBUTE | tag::PUBLIC_KEY_TEMPLATE_ATTRIBUTE)
        // KMIP 2.1 §6.1.27: a server may leave out the count, and may return it unasked.
        | (tag::RESPONSE_PAYLOAD, tag::LOCATED_ITEMS) => true,
        // KMIP 1.1 §2.1.1: an absent index is 0.
        (_, tag::ATTRIBUTE_INDEX) => matches!(value, Some(Content::Integer(0))),
        _ => false,
    }
}

/// Whether an attribute that a case prints may be missing: the client's own custom attributes, and groups that the
/// server puts objects in unasked.
#[must_use]
pub fn attribute_may_be_absent(tag: Tag, name: Option<&str>, vendor: Option<&str>, bindings: &Bindings) -> bool {
    let group = tag == tag::OBJECT_GROUP || name.is_some_and(|n| squeeze(n) == "ObjectGroup");
    name.is_some_and(|n| n.starts_with("y-")) || vendor == Some("y") || (group && !bindings.is_named("ObjectGroup"))
}

/// Whether the children of this structure are attributes.
#[must_use]
pub const fn is_attribute_container(tag: Tag) -> bool {
    matches!(
        tag,
        tag::ATTRIBUTES
            | tag::COMMON_ATTRIBUTES
            | tag::PRIVATE_KEY_ATTRIBUTES
            | tag::PUBLIC_KEY_ATTRIBUTES
            | tag::TEMPLATE_ATTRIBUTE
            | tag::COMMON_TEMPLATE_ATTRIBUTE
            | tag::PRIVATE_KEY_TEMPLATE_ATTRIBUTE
            | tag::PUBLIC_KEY_TEMPLATE_ATTRIBUTE
    )
}

/// Whether a date of this name is the server's to set.
#[must_use]
pub fn is_servers_date(name: &str) -> bool {
    DATES.contains(&name)
}

/// Whether an item with this tag names an object.
#[must_use]
pub const fn names_an_object(tag: Tag) -> bool {
    matches!(
        tag,
        tag::UNIQUE_IDENTIFIER | tag::PRIVATE_KEY_UNIQUE_IDENTIFIER | tag::PUBLIC_KEY_UNIQUE_IDENTIFIER
    )
}

/// Whether the operation leaves objects whose material the server chose.
#[must_use]
pub fn makes(operation: u32) -> bool {
    [
        Operation::Create,
        Operation::CreateKeyPair,
        Operation::ReKey,
        Operation::ReKeyKeyPair,
        Operation::CreateSplitKey,
        Operation::Certify,
        Operation::ReCertify,
    ]
    .iter()
    .any(|o| o.0 == operation)
}

/// Whether the operation leaves a new object, made by the server or not.
#[must_use]
pub fn leaves_an_object(operation: u32) -> bool {
    let others = [
        Operation::Register,
        Operation::DeriveKey,
        Operation::JoinSplitKey,
        Operation::Import,
    ];
    makes(operation) || others.iter().any(|o| o.0 == operation)
}

/// Whether the algorithm randomises the operation's output.
fn is_random(operation: u32, payload: Option<&Node>, bindings: &Bindings) -> bool {
    if operation == Operation::Encrypt.0 {
        let gives_iv = payload.is_some_and(|p| p.child(tag::IV_COUNTER_NONCE).is_some());
        return bindings.knows_random_encryption() || (bindings.knows_random_iv() && !gives_iv);
    }
    if operation == Operation::Sign.0 {
        return bindings.knows_random_signatures();
    }
    // A wrapped key: RFC 3394 and RFC 5649 give the same bytes each time, modes with an IV do not.
    let mut mode_with_iv = false;
    if let Some(wrapping) = payload.and_then(|p| p.child(tag::KEY_WRAPPING_SPECIFICATION)) {
        wrapping.walk(None, &mut |node, _| {
            if let (tag::BLOCK_CIPHER_MODE, Content::Enumeration(mode)) = (node.tag, &node.content) {
                let fixed = [
                    BlockCipherMode::NISTKeyWrap,
                    BlockCipherMode::AESKeyWrapPadding,
                    BlockCipherMode::ECB,
                ];
                mode_with_iv |= !fixed.iter().any(|m| m.0 == *mode);
            }
        });
    }
    mode_with_iv || operation == Operation::RNGRetrieve.0
}

/// Whether this enumeration value, somewhere in a request, means that encryption is randomised.
#[must_use]
pub fn randomises_encryption(tag: Tag, value: u32) -> bool {
    tag == tag::PADDING_METHOD
        && [PaddingMethod::OAEP, PaddingMethod::PKCS1V1_5]
            .iter()
            .any(|p| p.0 == value)
}

/// Whether this enumeration value, somewhere in a request, means that signatures are randomised.
#[must_use]
pub fn randomises_signatures(tag: Tag, attribute: Option<&str>, value: u32) -> bool {
    match scope_name(tag, attribute).as_str() {
        "PaddingMethod" => value == PaddingMethod::PSS.0,
        "CryptographicAlgorithm" => [
            CryptographicAlgorithm::DSA,
            CryptographicAlgorithm::ECDSA,
            CryptographicAlgorithm::EC,
        ]
        .iter()
        .any(|a| a.0 == value),
        "DigitalSignatureAlgorithm" => [
            DigitalSignatureAlgorithm::RSASSA_PSS,
            DigitalSignatureAlgorithm::ECDSAWithSHA_1,
            DigitalSignatureAlgorithm::ECDSAWithSHA224,
            DigitalSignatureAlgorithm::ECDSAWithSHA256,
            DigitalSignatureAlgorithm::ECDSAWithSHA384,
            DigitalSignatureAlgorithm::ECDSAWithSHA512,
        ]
        .iter()
        .any(|a| a.0 == value),
        _ => false,
    }
}
