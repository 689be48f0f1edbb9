//! Messages in requests of HTTP/1.1 (KMIP 2.1 §10.2; the HTTPS profiles).

use crate::Error;
use crate::connection::{read_exact, tls_error};
use httparse::{EMPTY_HEADER, Status};
use kmip_protocol::names::KmipVocabulary;
use kmip_ttlv::Encoding;
use std::io::{Read, Write};
use zeroize::Zeroizing;

/// The longest head of an answer, in bytes.
const HEAD: usize = 16 * 1024;

/// The most fields in it.
const FIELDS: usize = 64;

/// Posts one message, in TTLV, in this encoding; gives the answer in TTLV. Answers are taken in one piece: a server that knows how long a
/// message is says so.
pub(crate) fn post<S: Read + Write>(
    stream: &mut S,
    host: &str,
    encoding: Encoding,
    message: &[u8],
    limit: usize,
) -> Result<Vec<u8>, Error> {
    let body = encoding.write(message.to_vec(), &KmipVocabulary)?;
    let kind = encoding.content_type();
    let length = body.len();
    let head = format!(
        "POST /kmip HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nCache-Control: no-cache\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).map_err(tls_error)?;
    stream.write_all(&body).map_err(tls_error)?;
    stream.flush().map_err(tls_error)?;
    let (answered, length) = head_of(stream)?;
    let longest = encoding.longest(limit);
    if length > longest {
        return Err(Error::TooLong { length, limit: longest });
    }
    let mut body = Zeroizing::new(vec![0; length]);
    read_exact(stream, &mut body)?;
    if answered != Some(encoding) {
        return Err(Error::NotKmip);
    }
    let mut answer = encoding.read(&body, &KmipVocabulary, limit)?;
    Ok(core::mem::take(&mut *answer))
}

/// The encoding and length of the body that follows.
fn head_of(stream: &mut impl Read) -> Result<(Option<Encoding>, usize), Error> {
    let mut head = Vec::new();
    // Byte by byte: what follows the head is not ours to take, and TLS has its own buffer below.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD {
            return Err(Error::NotKmip);
        }
        let mut byte = [0];
        read_exact(stream, &mut byte)?;
        head.extend_from_slice(&byte);
    }
    let mut fields = [EMPTY_HEADER; FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let Ok(Status::Complete(_)) = response.parse(&head) else {
        return Err(Error::NotKmip);
    };
    match response.code {
        Some(200) => {}
        Some(code) => return Err(Error::Http(code)),
        None => return Err(Error::NotKmip),
    }
    let field = |name: &str| {
        let found = response.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name))?;
        core::str::from_utf8(found.value).ok()
    };
    let length = field("content-length").and_then(|l| l.trim().parse().ok());
    let encoding = field("content-type").and_then(Encoding::of_content_type);
    Ok((encoding, length.ok_or(Error::NotKmip)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Cursor};

    const ANSWER: [u8; 24] = [
        0x42, 0, 0x7B, 1, 0, 0, 0, 16, 0x42, 0, 0x0D, 2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0,
    ];

    /// A server that has already answered.
    struct Server {
        asked: Vec<u8>,
        answer: Cursor<Vec<u8>>,
    }

    impl Read for Server {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.answer.read(buffer)
        }
    }

    impl Write for Server {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.asked.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn ask(encoding: Encoding, head: &str, body: &[u8], limit: usize) -> (Vec<u8>, Result<Vec<u8>, Error>) {
        let answer = [head.as_bytes(), b"\r\n\r\n", body].concat();
        let mut server = Server {
            asked: Vec::new(),
            answer: Cursor::new(answer),
        };
        let answer = post(&mut server, "h:1", encoding, &ANSWER, limit);
        (server.asked, answer)
    }

    #[test]
    fn posts_and_reads_each_encoding() {
        for encoding in [Encoding::Ttlv, Encoding::Xml, Encoding::Json] {
            let body = encoding.write(ANSWER.to_vec(), &KmipVocabulary).unwrap();
            let (kind, length) = (encoding.content_type(), body.len());
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\ncontent-length: {length}");
            let (asked, answer) = ask(encoding, &head, &body, 24);
            assert_eq!(answer.unwrap(), ANSWER);
            assert!(asked.starts_with(b"POST /kmip HTTP/1.1\r\nHost: h:1\r\n") && asked.ends_with(&body));
            assert!(matches!(ask(encoding, &head, &body, 2).1, Err(Error::TooLong { .. })));
        }
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        let kind = "Content-Type: application/octet-stream";
        let asked = |head: &str| ask(Encoding::Ttlv, head, &ANSWER, 1000).1;
        assert!(matches!(asked("HTTP/1.1 404 Not Found"), Err(Error::Http(404))));
        assert!(matches!(
            asked(&format!("HTTP/1.1 200 OK\r\n{kind}")),
            Err(Error::NotKmip)
        ));
        assert!(matches!(
            asked("HTTP/1.1 200 OK\r\nContent-Length: 24"),
            Err(Error::NotKmip)
        ));
        assert!(matches!(asked("KMIP"), Err(Error::NotKmip)));
        let cut = format!("HTTP/1.1 200 OK\r\n{kind}\r\nContent-Length: 25");
        assert!(matches!(asked(&cut), Err(Error::Closed)));
        let long = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(HEAD));
        assert!(matches!(asked(&long), Err(Error::NotKmip)));
    }
}
