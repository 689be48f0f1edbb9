//! A client as an application is one: a KMIP library, a certificate, a connection that stays open.

use super::office::{Office, words};
use kmip_client::{Connection, Error, Identity, Settings};
use kmip_protocol::{
    ApplicationSpecificInformation, Attribute, Attributes, Certificate, CertificateType, CreateRequest,
    CryptographicAlgorithm, CryptographicUsageMask, DateTime, DiscoverVersionsResponse, GetRequest, LocateRequest,
    ManagedObject, ObjectType, Operation, QueryFunction, QueryRequest, QueryResponse, ReCertifyRequest,
    RegisterRequest, RequestPayload, ResponseHeader, ResponseItem, ResponseMessage, ResponsePayload, ResultReason,
    TemplateAttribute, Version,
};
use std::path::Path;

pub struct Application {
    connection: Connection,
    version: Version,
}

impl Application {
    /// Connects with the certificate and key in these files.
    pub fn connect(office: &Office, certificate: &str, key: &str) -> Self {
        Self::at_version(office, certificate, key, Version::NEWEST)
    }

    /// A new client of the operator's tenant, whose certificate the authority of this name issues.
    #[track_caller]
    pub fn of(office: &Office, operator: &str, authority: &str) -> Self {
        office.by(operator, &["authority", "create", authority]).done();
        office.by(operator, &["client", "create", "web"]).done();
        let request = "certificate request web --private-key web-key.pem --request web.csr";
        office.run(&words(request)).done();
        let issue = "certificate issue web --request web.csr --certificate web.pem";
        office.by(operator, &words(issue)).done();
        Self::connect(office, "web.pem", "web-key.pem")
    }

    pub fn at_version(office: &Office, certificate: &str, key: &str, version: Version) -> Self {
        let identity = Identity {
            ca: office.at("kms/ca.pem"),
            certificate: Some(office.at(certificate)),
            key: Some(office.at(key)),
        };
        let connection = Connection::open(&Settings::new(office.address()), &identity).unwrap();
        Self { connection, version }
    }

    /// Keeps a certificate as an object.
    pub fn keep(&mut self, der: &[u8]) -> Result<String, Error> {
        let object: ManagedObject = Certificate {
            certificate_type: CertificateType::X_509,
            certificate_value: der.to_vec(),
        }
        .into();
        let request = RegisterRequest {
            object_type: object.object_type(),
            attributes: TemplateAttribute::default(),
            object,
            protection_storage_masks: None,
        };
        Ok(self.connection.call(self.version, request)?.unique_identifier)
    }

    /// Renews the certificate that an object is.
    pub fn renew(&mut self, certificate: &str) -> Result<Vec<u8>, Error> {
        let request = ReCertifyRequest {
            unique_identifier: Some(certificate.into()),
            ..ReCertifyRequest::default()
        };
        let made = self.connection.call(self.version, request)?.unique_identifier;
        let request = GetRequest {
            unique_identifier: Some(made.as_str().into()),
            ..GetRequest::default()
        };
        match self.connection.call(self.version, request)?.object {
            ManagedObject::Certificate(certificate) => Ok(certificate.certificate_value),
            _ => panic!("no certificate"),
        }
    }

    /// Makes an AES key.
    pub fn create(&mut self) -> Result<String, Error> {
        self.create_with(Vec::new())
    }

    /// Makes an AES key that belongs to something of the application's own.
    pub fn create_in(&mut self, namespace: &str, data: Option<&str>) -> Result<String, Error> {
        let information = ApplicationSpecificInformation {
            application_namespace: namespace.to_owned(),
            application_data: data.map(str::to_owned),
        };
        self.create_with(vec![Attribute::ApplicationSpecificInformation(information)])
    }

    /// Makes an AES key that becomes active then.
    pub fn create_for(&mut self, activation: DateTime) -> Result<String, Error> {
        self.create_with(vec![Attribute::ActivationDate(activation)])
    }

    fn create_with(&mut self, more: Vec<Attribute>) -> Result<String, Error> {
        let mut attributes = vec![
            Attribute::CryptographicAlgorithm(CryptographicAlgorithm::AES),
            Attribute::CryptographicLength(256),
            Attribute::CryptographicUsageMask(CryptographicUsageMask::Encrypt | CryptographicUsageMask::Decrypt),
        ];
        attributes.extend(more);
        let request = CreateRequest {
            object_type: ObjectType::SymmetricKey,
            attributes: TemplateAttribute::from(attributes.into_iter().collect::<Attributes>()),
            protection_storage_masks: None,
        };
        Ok(self.connection.call(self.version, request)?.unique_identifier)
    }

    /// Fetches a key; whether its material came.
    pub fn get(&mut self, key: &str) -> Result<(), Error> {
        self.object(key).map(|_| ())
    }

    /// Fetches an object.
    pub fn object(&mut self, object: &str) -> Result<ManagedObject, Error> {
        let request = GetRequest {
            unique_identifier: Some(object.into()),
            ..GetRequest::default()
        };
        Ok(self.connection.call(self.version, request)?.object)
    }

    /// Takes a key away for good.
    pub fn destroy(&mut self, key: &str) -> Result<(), Error> {
        let request = kmip_protocol::DestroyRequest {
            unique_identifier: Some(key.into()),
        };
        self.connection.call(self.version, request).map(|_| ())
    }

    /// Has the server ask over this connection, and says to it what it asks first: these operations are known.
    pub fn be_asked(&mut self, known: &[Operation]) {
        self.connection.be_asked(self.version).unwrap();
        assert!(matches!(self.asked(), RequestPayload::DiscoverVersions(_)));
        self.answer(DiscoverVersionsResponse {
            protocol_versions: vec![self.version.into()],
        });
        assert!(matches!(self.asked(), RequestPayload::Query(_)));
        self.answer(QueryResponse {
            operations: known.to_vec(),
            ..QueryResponse::default()
        });
    }

    /// What the server asks next.
    #[track_caller]
    pub fn asked(&mut self) -> RequestPayload {
        let mut request = self.connection.receive().unwrap();
        assert_eq!(request.items.len(), 1);
        request.items.remove(0).payload.ok().unwrap()
    }

    /// Says that it is done.
    pub fn answer(&mut self, payload: impl Into<ResponsePayload>) {
        let answer = ResponseMessage {
            header: ResponseHeader::new(self.version, DateTime(0), 1),
            items: vec![ResponseItem::success(payload.into())],
        };
        self.connection.answer(&answer).unwrap();
    }

    /// The keys that it sees.
    pub fn locate(&mut self) -> Result<Vec<String>, Error> {
        let found = self.connection.call(self.version, LocateRequest::default())?;
        Ok(found.unique_identifiers)
    }

    /// The namespaces that the server tells of.
    pub fn namespaces(&mut self) -> Vec<String> {
        let request = QueryRequest {
            query_functions: vec![QueryFunction::QueryApplicationNamespaces],
            ..QueryRequest::default()
        };
        let answer = self.connection.call(self.version, request).unwrap();
        answer.application_namespaces
    }
}

/// The reason for which a request was refused.
#[track_caller]
pub fn refused<T>(outcome: Result<T, Error>) -> ResultReason {
    match outcome {
        Err(Error::Failed { reason, .. }) => reason.unwrap(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("not refused"),
    }
}

/// Takes certificate and key out of a keystore, as the application's own tools would.
pub fn unpack(keystore: &Path, password: &str, certificate: &Path, key: &Path) {
    let file = openssl::pkcs12::Pkcs12::from_der(&std::fs::read(keystore).unwrap()).unwrap();
    let inside = file.parse2(password).unwrap();
    std::fs::write(certificate, inside.cert.unwrap().to_pem().unwrap()).unwrap();
    std::fs::write(key, inside.pkey.unwrap().private_key_to_pem_pkcs8().unwrap()).unwrap();
}
