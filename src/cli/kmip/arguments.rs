//! The operations as subcommands, with their flags.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// What the server is asked for.
#[derive(Subcommand)]
pub(super) enum Operation {
    /// Make a symmetric key.
    Create(Create),
    /// Make a private key and its public key.
    CreateKeyPair(CreateKeyPair),
    /// Hand over an object that there is already.
    Register(Register),
    /// Fetch an object. Its material is printed with --reveal, or written to a file.
    Get(Get),
    /// Find objects.
    Locate(Locate),
    /// Show the attributes of an object.
    Attributes(Attributes),
    /// Put a key to use.
    Activate(Object),
    /// Take a key out of use.
    Revoke(Revoke),
    /// Destroy an object's material for good.
    Destroy(Object),
    /// Encrypt a file with a key on the server.
    Encrypt(Cipher),
    /// Decrypt a file with a key on the server.
    Decrypt(Cipher),
    /// Sign a file with a key on the server.
    Sign(Sign),
    /// Verify the signature of a file.
    Verify(Verify),
    /// Authenticate a file with a key on the server.
    Mac(Sign),
    /// Verify the authentication code of a file.
    MacVerify(Verify),
    /// Hash a file on the server.
    Hash(Hash),
    /// Fetch random bytes.
    Rng(Rng),
    /// Ask what the server can do.
    Query(Query),
    /// Ask which protocol versions the server speaks.
    Discover,
    /// Send the Request Messages that stand in files.
    Send(Send),
}

#[derive(Args)]
pub(super) struct Common {
    /// A name for the object.
    #[arg(long)]
    pub(super) name: Option<String>,
    /// The group of objects that it belongs to.
    #[arg(long)]
    pub(super) group: Option<String>,
}

#[derive(Args)]
pub(super) struct Create {
    /// The algorithm: AES, DES3, HMAC_SHA256 …
    #[arg(long, default_value = "AES")]
    pub(super) algorithm: String,
    /// The length in bits.
    #[arg(long, default_value_t = 256)]
    pub(super) length: i32,
    /// What it may be used for.
    #[arg(long, value_delimiter = ',', default_value = "Encrypt,Decrypt")]
    pub(super) usage: Vec<String>,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Args)]
pub(super) struct CreateKeyPair {
    /// The algorithm: RSA, EC, Ed25519 …
    #[arg(long, default_value = "RSA")]
    pub(super) algorithm: String,
    /// The length in bits.
    #[arg(long, required_unless_present = "curve")]
    pub(super) length: Option<i32>,
    /// The elliptic curve: P_256, BRAINPOOLP256R1 …
    #[arg(long)]
    pub(super) curve: Option<String>,
    /// What the private key may be used for.
    #[arg(long, value_delimiter = ',', default_value = "Sign")]
    pub(super) usage_private: Vec<String>,
    /// What the public key may be used for.
    #[arg(long, value_delimiter = ',', default_value = "Verify")]
    pub(super) usage_public: Vec<String>,
    /// A name: the keys are called NAME-private and NAME-public.
    #[arg(long)]
    pub(super) name: Option<String>,
}

#[derive(Args)]
pub(super) struct Register {
    /// The type: SymmetricKey, SecretData, OpaqueObject, Certificate, PrivateKey, PublicKey.
    #[arg(long = "type", default_value = "SymmetricKey")]
    pub(super) object_type: String,
    /// The object: raw bytes, or DER; `-` is standard input.
    #[arg(long)]
    pub(super) input: PathBuf,
    /// How a key is encoded: Raw, PKCS_8, PKCS_1, X_509 …
    #[arg(long)]
    pub(super) key_format: Option<String>,
    /// The algorithm of a key.
    #[arg(long)]
    pub(super) algorithm: Option<String>,
    /// The length of a key in bits; eight times its bytes if it is raw.
    #[arg(long)]
    pub(super) length: Option<i32>,
    /// What a key may be used for.
    #[arg(long, value_delimiter = ',')]
    pub(super) usage: Vec<String>,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Args)]
pub(super) struct Object {
    /// The Unique Identifier.
    pub(super) id: String,
}

#[derive(Args)]
pub(super) struct Get {
    /// The Unique Identifier.
    pub(super) id: String,
    /// The encoding wanted: Raw, PKCS_8, PKCS_1, X_509 …
    #[arg(long)]
    pub(super) key_format: Option<String>,
    /// Write the material to this file, readable by its owner alone.
    #[arg(long)]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Locate {
    /// Objects of this name.
    #[arg(long)]
    pub(super) name: Option<String>,
    /// Objects of this group.
    #[arg(long)]
    pub(super) group: Option<String>,
    /// Objects of this type.
    #[arg(long = "type")]
    pub(super) object_type: Option<String>,
    /// Objects in this state.
    #[arg(long)]
    pub(super) state: Option<String>,
    /// Keys of this algorithm.
    #[arg(long)]
    pub(super) algorithm: Option<String>,
    /// At most so many.
    #[arg(long)]
    pub(super) maximum: Option<i32>,
    /// Pass over so many.
    #[arg(long)]
    pub(super) offset: Option<i32>,
}

#[derive(Args)]
pub(super) struct Attributes {
    /// The Unique Identifier.
    pub(super) id: String,
    /// The attributes wanted, by their names in the specification (`"Activation Date"`); all, if none is given.
    pub(super) names: Vec<String>,
}

#[derive(Args)]
pub(super) struct Revoke {
    /// The Unique Identifier.
    pub(super) id: String,
    /// Why: Unspecified, KeyCompromise, CessationOfOperation, Superseded …
    #[arg(long, default_value = "CessationOfOperation")]
    pub(super) reason: String,
    /// Why, in words.
    #[arg(long)]
    pub(super) message: Option<String>,
}

#[derive(Args)]
pub(super) struct Cipher {
    /// The key's Unique Identifier.
    pub(super) id: String,
    /// The data; `-` is standard input.
    #[arg(long, default_value = "-")]
    pub(super) input: PathBuf,
    /// Write the outcome to this file.
    #[arg(long)]
    pub(super) output: Option<PathBuf>,
    /// The algorithm, for servers that do not take the key's own.
    #[arg(long)]
    pub(super) algorithm: Option<String>,
    /// The mode: CBC, GCM, CTR …
    #[arg(long)]
    pub(super) mode: Option<String>,
    /// The padding: PKCS5, OAEP, PKCS1V1_5 …
    #[arg(long)]
    pub(super) padding: Option<String>,
    /// The hash of OAEP.
    #[arg(long)]
    pub(super) hash: Option<String>,
    /// The IV, counter or nonce, in hexadecimal. The server makes one for Encrypt if there is none.
    #[arg(long)]
    pub(super) iv: Option<String>,
    /// Additional data to authenticate, in hexadecimal.
    #[arg(long)]
    pub(super) additional: Option<String>,
    /// The authentication tag for Decrypt, in hexadecimal.
    #[arg(long)]
    pub(super) tag: Option<String>,
    /// The length of the authentication tag for Encrypt, in bytes.
    #[arg(long)]
    pub(super) tag_length: Option<i32>,
}

#[derive(Args)]
pub(super) struct Parameters {
    /// The hash: SHA_256 …
    #[arg(long)]
    pub(super) hash: Option<String>,
    /// The padding: PKCS1V1_5, PSS.
    #[arg(long)]
    pub(super) padding: Option<String>,
    /// The algorithm, where the key leaves a choice: HMAC_SHA256 …
    #[arg(long)]
    pub(super) algorithm: Option<String>,
}

#[derive(Args)]
pub(super) struct Sign {
    /// The key's Unique Identifier.
    pub(super) id: String,
    /// The data; `-` is standard input.
    #[arg(long, default_value = "-")]
    pub(super) input: PathBuf,
    /// Write the outcome to this file.
    #[arg(long)]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) parameters: Parameters,
}

#[derive(Args)]
pub(super) struct Verify {
    /// The key's Unique Identifier.
    pub(super) id: String,
    /// The data; `-` is standard input.
    #[arg(long, default_value = "-")]
    pub(super) input: PathBuf,
    /// The file that holds the signature or the code.
    #[arg(long)]
    pub(super) signature: PathBuf,
    #[command(flatten)]
    pub(super) parameters: Parameters,
}

#[derive(Args)]
pub(super) struct Hash {
    /// The hash.
    #[arg(long, default_value = "SHA_256")]
    pub(super) algorithm: String,
    /// The data; `-` is standard input.
    #[arg(long, default_value = "-")]
    pub(super) input: PathBuf,
    /// Write the hash to this file.
    #[arg(long)]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Rng {
    /// How many bytes.
    pub(super) length: i32,
    /// Write them to this file, readable by its owner alone.
    #[arg(long)]
    pub(super) output: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Query {
    /// The functions: QueryOperations, QueryObjects, QueryServerInformation …
    #[arg(default_values = ["QueryOperations", "QueryObjects", "QueryServerInformation"])]
    pub(super) functions: Vec<String>,
}

#[derive(Args)]
pub(super) struct Send {
    /// XML (or JSON, by the ending `.json`); `-` is standard input. Messages other than requests are passed over.
    #[arg(required = true)]
    pub(super) files: Vec<PathBuf>,
}
